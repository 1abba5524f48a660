"""Serves TapStack to programs in any Pulumi language, as `tap:index:TapStack`."""

from __future__ import annotations

import gc

# Planning a stack makes no cycles worth looking for each few hundred objects.
gc.set_threshold(100_000)

from tap_stack.host import serve  # noqa: E402 - imports are much of what it saves on

if __name__ == "__main__":
    serve()
