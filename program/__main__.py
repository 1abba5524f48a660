"""Serves TapStack to programs in any Pulumi language, as `tap:index:TapStack`."""

from __future__ import annotations

from pulumi.provider.experimental import component_provider_host

from tap_stack import TapStack

if __name__ == "__main__":
    component_provider_host(name="tap", components=[TapStack])
