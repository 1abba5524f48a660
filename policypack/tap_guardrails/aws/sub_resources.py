"""Sub-resources: they configure another resource, which they reference.

A bucket's versioning, a function's event sources, a queue's redrive policy: AWS takes each in a call of its
own, and the provider makes a resource of each.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tap_guardrails.aws.location import same_location
from tap_guardrails.model import Known, Resource, ResourceType, Stack
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from collections.abc import Callable


@record
class Link:
    """How sub-resources of a type reference the resource that they configure.

    Attributes:
        sub_resource: Their type.
        names: Their property with the other's name, as the first type of their kind calls it.
        owner: The kind of the other.
        name_in: Takes the name out of the property's value.
        local: Whether a name means something in one region of one account only.
    """

    sub_resource: ResourceType
    names: str
    owner: ResourceType
    name_in: Callable[[str], str | None] = str
    local: bool = True


@record
class SubResources:
    """The sub-resources of a resource.

    Attributes:
        certain: They name it.
        possible: They name it or another one; nobody can tell before deployment.
    """

    certain: tuple[Resource, ...] = ()
    possible: tuple[Resource, ...] = ()


@record
class LinkIndex:
    """The sub-resources along a link, of a whole stack.

    Attributes:
        certain: By an owner's URN, those that name it.
        possible: By an owner's URN, those that may name it.
        anywhere: Those that may name any owner at all.
    """

    certain: dict[str, list[Resource]]
    possible: dict[str, list[Resource]]
    anywhere: tuple[Resource, ...]


def sub_resources(stack: Stack, owner: Resource, link: Link) -> SubResources:
    """Return what the stack says of a resource along a link."""
    index = stack.memoized(lambda whole: link_index(whole, link), (LinkIndex, link))
    certain = index.certain.get(owner.urn, ())
    return SubResources(tuple(certain), (*index.possible.get(owner.urn, ()), *index.anywhere))


def link_index(stack: Stack, link: Link) -> LinkIndex:
    """Build the index of a link."""
    certain: dict[str, list[Resource]] = defaultdict(list)
    possible: dict[str, list[Resource]] = defaultdict(list)
    anywhere: list[Resource] = []
    for sub_resource in stack.of(*link.sub_resource.types):
        node = link.sub_resource.at(sub_resource, link.names)
        target = stack.resolve_reference(sub_resource, node, link.owner, link.name_in)
        by_name = link.local and isinstance(node.text(), Known)
        for owner in target.certain:
            near = same_location(sub_resource, owner) if by_name else True
            if near is not False:
                (certain if near else possible)[owner.urn].append(sub_resource)
        for owner in target.possible:
            possible[owner.urn].append(sub_resource)
        if target.anything:
            anywhere.append(sub_resource)
    return LinkIndex(certain, possible, tuple(anywhere))


def shown(resources: tuple[Resource, ...]) -> str:
    """Name some resources in a message, the first few of many."""
    names = [f"`{resource.name}`" for resource in resources]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
