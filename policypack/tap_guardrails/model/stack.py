"""A whole stack, indexed once and shared by all the rules that look at it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, TypeVar, cast

from tap_guardrails.model.property_value import Known, PropertyRef, Unknown
from tap_guardrails.model.relation import Relation, RelationIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from tap_guardrails.model.resource import Resource, ResourceType

T = TypeVar("T")

ANY_TYPE: Final = "*"
"""What a rule names that is about resources of every type."""

ROOT_TYPE: Final = "pulumi:pulumi:Stack"

SECRET_CONFIGURATION: Final = object()
"""The key of what `Stack.memoized` gives the rules that ask for it, a frozenset of texts."""


class Stack:
    """The resources of a stack, by URN, by type, by name and by parent."""

    def __init__(
        self,
        resources: Sequence[Resource],
        given: Mapping[Hashable, object] | None = None,
        types_read: frozenset[str] = frozenset(),
    ) -> None:
        """Index the resources.

        Args:
            resources: The resources.
            given: What is known of the stack besides, under the keys that `derived` is asked with.
            types_read: The types of which some policy reads the configuration.
        """
        self.types_read = types_read
        self.resources = tuple(resources)
        self._by_urn = {resource.urn: resource for resource in self.resources}
        self._by_type: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.resources:
            if resource.is_a((resource.type,)):
                self._by_type[resource.type].append(resource)
        self._memoized: dict[Hashable, object] = dict(given or {})

    def get(self, urn: str) -> Resource | None:
        """Return the resource of that URN, if the stack has it."""
        return self._by_urn.get(urn)

    @property
    def root(self) -> Resource | None:
        """What stands for the stack as a whole: its root, or the first resource when there is none."""
        roots = self._by_type.get(ROOT_TYPE, self.resources[:1])
        return roots[0] if roots else None

    def children(self, urn: str) -> Sequence[str]:
        """Return the URNs of a resource's children."""
        return self.memoized(child_index).get(urn, ())

    def of(self, *types: str) -> Iterator[Resource]:
        """Go through the resources of these types."""
        if ANY_TYPE in types:
            yield from self.resources
            return
        for token in types:
            yield from self._by_type.get(token, ())

    def memoized(self, build: Callable[[Stack], T], key: Hashable = None) -> T:
        """Return what `build` makes of this stack, made once.

        Args:
            build: A function of the module's level, or a closure together with a `key`.
            key: What tells the results of one closure from another's.
        """
        entry = key or build
        if entry not in self._memoized:
            self._memoized[entry] = build(self)
        return cast("T", self._memoized[entry])

    def names(self, kind: ResourceType) -> RelationIndex:
        """Return the resources of a type by their names in AWS, which several regions may have."""
        return self.memoized(lambda stack: name_index(stack, kind), (name_index, kind))

    def dependencies_of(self, resource: Resource, top: str, types: Sequence[str]) -> tuple[Resource, ...]:
        """Return the resources of some types that a property's value was made from.

        A component among them stands for all that it contains: languages and the component protocol do not
        agree on whether to record a component or its children.

        Args:
            resource: Whose property it is.
            top: The property, at the top level; that is how the engine records dependencies.
            types: The type tokens looked for.
        """
        urns = resource.property_dependencies.get(top, ())
        if len(urns) == 1:
            found = self.members(urns[0], tuple(types))
        else:
            every = (member for urn in urns for member in self.members(urn, tuple(types)))
            found = tuple({member.urn: member for member in every}.values())
        if resource.type not in types:
            return found
        return tuple(member for member in found if member.urn != resource.urn)

    def members(self, urn: str, types: tuple[str, ...]) -> tuple[Resource, ...]:
        """Return which of a resource and its descendants are of some types; many ask for one component."""
        return self.memoized(
            lambda stack: tuple(member for member in stack.descendants(urn) if member.is_a(types)),
            (Stack.members, urn, types),
        )

    def descendants(self, urn: str) -> Iterator[Resource]:
        """Go through a resource and, when it is a component, all that it contains, cycles or not."""
        waiting, seen = [urn], {urn}
        while waiting:
            member = self._by_urn.get(waiting.pop())
            if member is None:
                continue
            yield member
            if member.provider is None:
                fresh = [child for child in self.children(member.urn) if child not in seen]
                seen.update(fresh)
                waiting.extend(fresh)

    def resolve_reference(
        self,
        owner: Resource,
        node: PropertyRef,
        kind: ResourceType,
        name_in: Callable[[str], str | None] = str,
    ) -> Relation:
        """Tell which resource of a kind a property points to.

        A known value decides by the exact name. An unknown one decides by what it was made from: exactly
        one resource of the kind is it; several leave it open which; none leaves everything open.

        Args:
            owner: Whose property it is.
            node: The property.
            kind: The kind of resource pointed to.
            name_in: Takes the name out of the property's value, or returns None when it is of something else.
        """
        match node.text():
            case Known(value):
                name = name_in(value)
                if name is None:
                    return Relation()
                named = self.names(kind).of(name)
                return Relation(named.certain) if named.certain else named
            case Unknown():
                candidates = self.dependencies_of(owner, node.top, kind.types)
                if len(candidates) == 1:
                    return Relation(certain=candidates)
                return Relation(possible=candidates, anything=not candidates)
            case _:
                return Relation()


def name_index(stack: Stack, kind: ResourceType) -> RelationIndex:
    """Build the index of the resources of a type by their names in AWS."""
    index = RelationIndex()
    for resource in stack.of(*kind.types):
        name = kind.physical_name(resource)
        if name is None:
            index.anywhere.append(resource)
        else:
            index.certain[name].append(resource)
    return index


def child_index(stack: Stack) -> dict[str, list[str]]:
    """Build the index of children by parent."""
    children: dict[str, list[str]] = defaultdict(list)
    for resource in stack.resources:
        if resource.parent:
            children[resource.parent].append(resource.urn)
    return dict(children)
