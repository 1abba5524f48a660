"""Serves TapStack to programs in any Pulumi language, as `tap:index:TapStack`."""

from __future__ import annotations

from tap_stack.host import serve

if __name__ == "__main__":
    serve()
