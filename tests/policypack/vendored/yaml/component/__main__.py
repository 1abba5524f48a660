"""The component that the program in YAML is made of, with nothing but the SDK.

The SDK reads the types of what is served, so they are not postponed.
"""

from typing import TypedDict

import pulumi
from pulumi.provider.experimental import component_provider_host


class Resource(pulumi.CustomResource):
    """Any resource."""

    def __init__(
        self, kind: str, name: str, parent: pulumi.Resource, **properties: pulumi.Input[object]
    ) -> None:
        tags = {"Project": "vendored", "Environment": "dev"}
        super().__init__(kind, name, {**properties, "tags": tags}, pulumi.ResourceOptions(parent=parent))


class ResourcesArgs(TypedDict):
    """It takes nothing."""


class Resources(pulumi.ComponentResource):
    """A key that rotates, one that does not, and a queue without a key of its owner's."""

    def __init__(self, name: str, args: ResourcesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vendored:index:Resources", name, {**args}, opts)
        Resource("aws:kms/key:Key", "rotating", self, enableKeyRotation=True)
        Resource("aws:kms/key:Key", "still", self, enableKeyRotation=False)
        Resource("aws:sqs/queue:Queue", "queue", self, sqsManagedSseEnabled=True)
        self.register_outputs({})


component_provider_host(name="vendored", components=[Resources])
