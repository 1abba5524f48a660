"""Serve the component."""

from box import Box
from pulumi.provider.experimental import component_provider_host

if __name__ == "__main__":
    component_provider_host(name="box", components=[Box])
