"""A resource as rules see it: identity, type, properties, provider, relations."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Final

from tap_guardrails.model.property_value import Absent, Invalid, Known, PropertyRef, Unknown, join, revealed
from tap_guardrails.model.record import record
from tap_guardrails.model.values import UNKNOWN, CloudFormationObject, Value

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

CUSTOM_PACKAGES: Final = ("aws:", "aws-native:")
"""Packages whose resources always have a provider; a component that bears such a type is no such resource."""


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
class Embedding:
    """Where a resource stands that another one carries inside: in a template, in a desired state.

    Attributes:
        carrier: The resource that carries it, which the engine knows.
        path: The path to its properties within the carrier's.
    """

    carrier: Resource
    path: str


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
        embedding: Where it stands, when another resource carries it inside.
    """

    urn: str
    type: str
    name: str
    properties: Mapping[str, Value]
    provider: Provider | None = None
    parent: str = ""
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    embedding: Embedding | None = None

    @property
    def declared(self) -> Resource:
        """What the program declared: the resource itself, or what carries it inside."""
        return self.embedding.carrier.declared if self.embedding else self

    def is_a(self, types: Collection[str]) -> bool:
        """Tell whether it is a resource of one of these types; a component that bears a token is none."""
        return self.type in types and (self.provider is not None or not self.type.startswith(CUSTOM_PACKAGES))

    def at(self, *steps: str | int) -> PropertyRef:
        """Go to a place in the resource's properties."""
        return property_at(self.properties, steps, self.embedding.path if self.embedding else "")


def property_at(
    properties: Mapping[str, Value], steps: tuple[str | int, ...], prefix: str = ""
) -> PropertyRef:
    """Go to a place in a property tree, of which only the first step's property is looked at.

    Args:
        properties: The tree.
        steps: The way to the place.
        prefix: What its path begins with.
    """
    first = str(steps[0])
    value = properties.get(first)
    if isinstance(properties, CloudFormationObject):
        ref = revealed(join(prefix, properties.cased(first)), value, first, cased=True)
    else:
        ref = revealed(join(prefix, first), value, first)
    return ref.at(*steps[1:]) if len(steps) > 1 else ref


def as_set(resource: Resource, ref: PropertyRef) -> PropertyRef:
    """Return a property as the program set it: absent when it is unknown and was made from nothing.

    What the policies of a stack see are outputs. There a provider fills in what a program leaves out, and
    before deployment such a property is as unknown as one made from a resource that is not there yet.
    Every value that a program cannot know yet comes from some resource, and the engine records which.

    Args:
        resource: Whose property it is.
        ref: The property, or something within it.
    """
    if ref.value is UNKNOWN and not resource.property_dependencies.get(ref.top):
        return replace(ref, value=None)
    return ref


@record(eq=False)
class ResourceType:
    """A type of AWS resource under all the tokens that providers have given it.

    Attributes:
        title: What people call it: `Lambda function`.
        property_aliases: For each type token, where a property has another name than in the first.
        name_property: The property with the physical name.
    """

    title: str
    property_aliases: Mapping[str, Mapping[str, str]]
    name_property: str = "name"

    @property
    def types(self) -> tuple[str, ...]:
        """All its type tokens."""
        return tuple(self.property_aliases)

    def at(self, resource: Resource, *steps: str | int) -> PropertyRef:
        """Go to a place in a resource's properties, by the names of the first type."""
        first = str(steps[0])
        return resource.at(self.property_aliases[resource.type].get(first, first), *steps[1:])

    def physical_name(self, resource: Resource) -> str | None:
        """Return the name in AWS, or None while it is not known."""
        match self.at(resource, self.name_property).text():
            case Known(name):
                return name
            case Absent() | Unknown() | Invalid():
                return None
