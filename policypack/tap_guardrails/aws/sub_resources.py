"""Sub-resources: they configure another resource, which they reference.

A bucket's versioning, a function's event sources, a queue's redrive policy: AWS takes each in a call of its
own, and the provider makes a resource of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_guardrails.aws.location import same_location
from tap_guardrails.model import Known, Relation, RelationIndex, Resource, ResourceType, Stack
from tap_guardrails.model.values import record

if TYPE_CHECKING:
    from collections.abc import Callable


@record
class SubResource:
    """How sub-resources of a type reference the resource that they configure.

    Attributes:
        type: Their type.
        reference: Their property with the other's name, as their first type token calls it.
        owner: The type of the other.
        name_in: Takes the name out of the property's value.
        local: Whether a name means something in one region of one account only.
    """

    type: ResourceType
    reference: str
    owner: ResourceType
    name_in: Callable[[str], str | None] = str
    local: bool = True


def sub_resources(stack: Stack, owner: Resource, kind: SubResource) -> Relation:
    """Return what configures a resource besides itself; what may configure any one, is possible."""
    return stack.memoized(lambda whole: sub_resource_index(whole, kind), (sub_resources, kind)).of(owner.urn)


def sub_resource_index(stack: Stack, kind: SubResource) -> RelationIndex:
    """Build the index of the sub-resources of a type by what they configure."""
    index = RelationIndex()
    for one in stack.of(*kind.type.types):
        ref = kind.type.at(one, kind.reference)
        relation = stack.resolve_reference(one, ref, kind.owner, kind.name_in)
        if kind.local and isinstance(ref.text(), Known):
            near = Relation(relation.certain).where(lambda owner, one=one: same_location(one, owner))
            relation = Relation(near.certain, (*near.possible, *relation.possible), relation.anything)
        index.add(one, relation)
    return index
