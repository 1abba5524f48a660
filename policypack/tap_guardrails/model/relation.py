"""What is related to what, as far as it is known before deployment: certainly, possibly, or to anything."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tap_guardrails.model.resource import Resource


@record
class Relation:
    """The resources that another one is related to: that it references, or that reference it.

    Attributes:
        certain: It is related to these.
        possible: It may be related to these.
        anything: It may be related to any resource at all.
    """

    certain: tuple[Resource, ...] = ()
    possible: tuple[Resource, ...] = ()
    anything: bool = False

    def where(self, holds: Callable[[Resource], bool | None]) -> Relation:
        """Return the relation as far as a condition holds; where that is undecided, it is possible only."""
        evaluated = [(one, holds(one)) for one in self.certain]
        return Relation(
            tuple(one for one, answer in evaluated if answer),
            (
                *(one for one, answer in evaluated if answer is None),
                *(one for one in self.possible if holds(one) is not False),
            ),
            self.anything,
        )


class RelationIndex:
    """Relations the other way round: by a URN or a name, the resources of a stack that are related to it.

    Attributes:
        certain: By key, those that are.
        possible: By key, those that may be.
        anywhere: Those that may be related to any key at all.
    """

    __slots__ = ("anywhere", "certain", "possible")

    def __init__(self, relations: Iterable[tuple[Resource, Relation]] = ()) -> None:
        """Build the index.

        Args:
            relations: Resources, each with what it is related to.
        """
        self.certain: dict[str, list[Resource]] = defaultdict(list)
        self.possible: dict[str, list[Resource]] = defaultdict(list)
        self.anywhere: list[Resource] = []
        for resource, relation in relations:
            self.add(resource, relation)

    def add(self, resource: Resource, relation: Relation) -> None:
        """Add a resource with what it is related to."""
        for other in relation.certain:
            self.certain[other.urn].append(resource)
        for other in relation.possible:
            self.possible[other.urn].append(resource)
        if relation.anything:
            self.anywhere.append(resource)

    def of(self, key: str) -> Relation:
        """Return what is related to a resource or a name."""
        possible = (*self.possible.get(key, ()), *self.anywhere)
        return Relation(tuple(self.certain.get(key, ())), possible)
