"""Resources that say something of another one, which they name: its companions.

A bucket's versioning, a function's event sources, a queue's redrive policy: AWS takes each in a call of its
own, and the provider makes a resource of each.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tap_guardrails.aws.place import same_place
from tap_guardrails.model import Kind, Known, Resource, Stack
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from collections.abc import Callable


@record
class Link:
    """How companions of a kind name whom they accompany.

    Attributes:
        companion: Their kind.
        names: Their property with the other's name, as the first type of their kind calls it.
        owner: The kind of the other.
        name_in: Takes the name out of the property's value.
        local: Whether a name means something in one region of one account only.
    """

    companion: Kind
    names: str
    owner: Kind
    name_in: Callable[[str], str | None] = str
    local: bool = True


@record
class Companions:
    """The companions of a resource.

    Attributes:
        certain: They name it.
        possible: They name it or another one; nobody can tell before deployment.
    """

    certain: tuple[Resource, ...] = ()
    possible: tuple[Resource, ...] = ()


@record
class LinkIndex:
    """The companions along a link, of a whole stack.

    Attributes:
        certain: By an owner's URN, those that name it.
        possible: By an owner's URN, those that may name it.
        anywhere: Those that may name any owner at all.
    """

    certain: dict[str, list[Resource]]
    possible: dict[str, list[Resource]]
    anywhere: tuple[Resource, ...]


def companions(stack: Stack, owner: Resource, link: Link) -> Companions:
    """Return what the stack says of a resource along a link."""
    index = stack.derived(lambda whole: link_index(whole, link), (LinkIndex, link))
    certain = index.certain.get(owner.urn, ())
    return Companions(tuple(certain), (*index.possible.get(owner.urn, ()), *index.anywhere))


def link_index(stack: Stack, link: Link) -> LinkIndex:
    """Build the index of a link."""
    certain: dict[str, list[Resource]] = defaultdict(list)
    possible: dict[str, list[Resource]] = defaultdict(list)
    anywhere: list[Resource] = []
    for companion in stack.of(*link.companion.types):
        node = link.companion.at(companion, link.names)
        target = stack.target(companion, node, link.owner, link.name_in)
        by_name = link.local and isinstance(node.text(), Known)
        for owner in target.certain:
            near = same_place(companion, owner) if by_name else True
            if near is not False:
                (certain if near else possible)[owner.urn].append(companion)
        for owner in target.possible:
            possible[owner.urn].append(companion)
        if target.anything:
            anywhere.append(companion)
    return LinkIndex(certain, possible, tuple(anywhere))


def shown(resources: tuple[Resource, ...]) -> str:
    """Name some resources in a message, the first few of many."""
    names = [f"`{resource.name}`" for resource in resources]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
