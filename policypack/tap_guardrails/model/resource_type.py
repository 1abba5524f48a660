"""A type of AWS resource under all the type tokens that providers have given it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_guardrails.model.property_value import Absent, Invalid, Known, PropertyRef, Unknown
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_guardrails.model.resource import Resource


@record(eq=False)
class ResourceType:
    """A type of resource.

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
