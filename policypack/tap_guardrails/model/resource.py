"""A resource as rules see it: identity, properties, provider, relations."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from tap_guardrails.model.property_value import PropertyRef, revealed
from tap_guardrails.model.record import record
from tap_guardrails.model.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping


@record
class Provider:
    """The provider that a resource belongs to.

    Attributes:
        urn: Its URN.
        properties: Its inputs, decoded.
    """

    urn: str
    properties: Mapping[str, Value] = field(default_factory=dict[str, Value], compare=False)

    def at(self, *steps: str | int) -> PropertyRef:
        """Go to a place in the provider's inputs."""
        return property_at(self.properties, steps)


@record(eq=False)
class Resource:
    """One resource.

    Attributes:
        urn: Its URN.
        type: Its type token, such as `aws:kms/key:Key`.
        name: Its logical name.
        properties: Inputs (in a resource rule) or outputs (in a stack rule), decoded on access.
        provider: Its provider, unless it is a component.
        parent: The parent's URN, or empty.
        property_dependencies: For each property, the URNs of what its value was made from.
    """

    urn: str
    type: str
    name: str
    properties: Mapping[str, Value]
    provider: Provider | None = None
    parent: str = ""
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def at(self, *steps: str | int) -> PropertyRef:
        """Go to a place in the resource's properties."""
        return property_at(self.properties, steps)


def property_at(properties: Mapping[str, Value], steps: tuple[str | int, ...]) -> PropertyRef:
    """Go to a place in a property tree, of which only the first step's property is looked at."""
    first = str(steps[0])
    node = revealed(first, properties.get(first), first)
    return node.at(*steps[1:]) if len(steps) > 1 else node
