"""What every part of the component needs: its parent, names, ARNs, settings and tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from tap_stack.names import Addresses, Location, Names

if TYPE_CHECKING:
    from tap_stack.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """The component under construction."""

    parent: pulumi.ComponentResource
    name: str
    settings: Settings
    names: Names
    addresses: pulumi.Output[Addresses]

    @property
    def tags(self) -> dict[str, str]:
        """The tags of every resource that can have tags."""
        return self.settings.tags

    def logical(self, suffix: str) -> str:
        """Return a child's logical name; it carries the component's, for URNs do not."""
        return f"{self.name}-{suffix}"

    def child(
        self, *, depends_on: Sequence[pulumi.Resource] = (), holds_data: bool = False
    ) -> pulumi.ResourceOptions:
        """Return a child's options; one that holds data is protected along with the stack's data."""
        return pulumi.ResourceOptions(
            parent=self.parent,
            depends_on=depends_on,
            protect=True if holds_data and self.settings.deletion_protection else None,
        )


def open_context(parent: pulumi.ComponentResource, name: str, settings: Settings) -> Context:
    """Look up account, region and partition through the component's own provider; return its context."""
    names = Names(settings.suffix)
    options = pulumi.InvokeOutputOptions(parent=parent)
    location = pulumi.Output.all(
        account=aws.get_caller_identity_output(opts=options).account_id,
        region=aws.get_region_output(opts=options).region,
        partition=aws.get_partition_output(opts=options).partition,
    ).apply(lambda answer: Location(**answer))
    return Context(parent, name, settings, names, location.apply(lambda where: Addresses(names, where)))
