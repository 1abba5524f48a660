"""Resources as rules see them, what is related to what, and the whole stack, indexed once for all rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from itertools import islice
from typing import Final, Generic, TypeVar, cast

from tap_guardrails.model.property_value import Known, PropertyRef, Unknown, join, refs_at, revealed
from tap_guardrails.model.values import UNKNOWN, CloudFormationObject, Value, record

T = TypeVar("T")

CUSTOM_PACKAGES: Final = ("aws:", "aws-native:")
"""Packages whose resources always have a provider; a component that bears such a type is no such resource."""


@record
class Provider:
    """The provider that a resource belongs to."""

    urn: str
    properties: Mapping[str, Value] = field(default_factory=dict[str, Value], compare=False)

    def at(self, *steps: str | int) -> PropertyRef:
        """Go to a property in the provider's inputs."""
        return property_at(self.properties, steps)


@record(eq=False)
class Embedding:
    """Where a resource stands that another one carries inside: in a template, in a desired state.

    Attributes:
        path: The path to its properties within the carrier's.
    """

    carrier: Resource
    path: str


@record(eq=False)
class Resource:
    """One resource.

    Attributes:
        type: Its type token, such as `aws:kms/key:Key`.
        properties: Inputs (in a resource rule) or outputs (in a stack rule), decoded on access.
        property_dependencies: For each property, the URNs of what its value was made from.
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
        """Go to one of the resource's properties."""
        return property_at(self.properties, steps, self.embedding.path if self.embedding else "")

    def as_set(self, ref: PropertyRef) -> PropertyRef:
        """Return a property as the program set it: absent when it is unknown and was made from nothing.

        What the policies of a stack see are outputs. There a provider fills in what a program leaves out, and
        before deployment such a property is as unknown as one made from a resource that is not there yet.
        Every value that a program cannot know yet comes from some resource, and the engine records which.
        """
        if ref.value is UNKNOWN and not self.property_dependencies.get(ref.top):
            return replace(ref, value=None)
        return ref


def property_at(
    properties: Mapping[str, Value], steps: tuple[str | int, ...], prefix: str = ""
) -> PropertyRef:
    """Go to a property in a tree, of which only the first step's property is looked at."""
    first = str(steps[0])
    value = properties.get(first)
    if isinstance(properties, CloudFormationObject):
        ref = revealed(join(prefix, properties.cased(first)), value, first, cased=True)
    else:
        ref = revealed(join(prefix, first), value, first)
    return ref.at(*steps[1:]) if len(steps) > 1 else ref


@record(eq=False)
class ResourceType:
    """A type of AWS resource under all the tokens that providers have given it.

    Attributes:
        title: What people call it: `Lambda function`.
        property_aliases: For each type token, where a property has another name than in the first.
    """

    title: str
    property_aliases: Mapping[str, Mapping[str, str]]
    name_property: str = "name"

    @property
    def types(self) -> tuple[str, ...]:
        """All its type tokens."""
        return tuple(self.property_aliases)

    def at(self, resource: Resource, *steps: str | int) -> PropertyRef:
        """Go to one of a resource's properties, by the names of the first type."""
        first = str(steps[0])
        return resource.at(self.property_aliases[resource.type].get(first, first), *steps[1:])

    def physical_name(self, resource: Resource) -> str | None:
        """Return the name in AWS, or None while it is not known."""
        return self.at(resource, self.name_property).text().value


@record
class Relation(Generic[T]):
    """What something is related to, as far as it is known before deployment.

    Attributes:
        anything: It may be related to anything at all.
    """

    certain: tuple[T, ...] = ()
    possible: tuple[T, ...] = ()
    anything: bool = False

    def where(self, holds: Callable[[T], bool | None], most: int | None = None) -> Relation[T]:
        """Return the relation as far as a condition holds; where that is undecided, it is possible only."""
        evaluated = [(one, holds(one)) for one in self.certain]
        possible = (one for one in self.possible if holds(one) is not False)
        return Relation(
            tuple(one for one, answer in evaluated if answer),
            (*(one for one, answer in evaluated if answer is None), *islice(possible, most)),
            self.anything,
        )


class RelationIndex(Generic[T]):
    """Relations the other way round: by a URN or a name, what is related to it.

    Attributes:
        anywhere: What may be related to any key at all.
    """

    __slots__ = ("anywhere", "certain", "possible")

    def __init__(self) -> None:
        """Begin an empty index."""
        self.certain: dict[str, list[T]] = defaultdict(list)
        self.possible: dict[str, list[T]] = defaultdict(list)
        self.anywhere: list[T] = []

    def add(self, one: T, relation: Relation[Resource]) -> None:
        """Add something with the resources that it is related to."""
        for other in relation.certain:
            self.certain[other.urn].append(one)
        for other in relation.possible:
            self.possible[other.urn].append(one)
        if relation.anything:
            self.anywhere.append(one)

    def of(self, key: str) -> Relation[T]:
        """Return what is related to a resource or a name."""
        possible = (*self.possible.get(key, ()), *self.anywhere)
        return Relation(tuple(self.certain.get(key, ())), possible)


ANY_TYPE: Final = "*"
"""What a rule names that is about resources of every type."""

ROOT_TYPE: Final = "pulumi:pulumi:Stack"

_NOT_MADE: Final = object()
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
        """Index the resources."""
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

    def refs(self, paths_of: Mapping[str, Iterable[Sequence[str]]]) -> Iterator[tuple[Resource, PropertyRef]]:
        """Go through the resources of some types, and where each type's paths lead to."""
        for token, paths in paths_of.items():
            for resource in self.of(token):
                yield from ((resource, ref) for path in paths for ref in refs_at(resource, path))

    def memoized(self, build: Callable[[Stack], T], key: Hashable = None) -> T:
        """Return what `build` makes of this stack, made once.

        Args:
            build: A function of the module's level, or a closure together with a `key`.
            key: What tells the results of one closure from another's.
        """
        entry = key or build
        cached = self._memoized.get(entry, _NOT_MADE)
        if cached is _NOT_MADE:
            cached = self._memoized[entry] = build(self)
        return cast("T", cached)

    def names(self, resource_type: ResourceType) -> RelationIndex[Resource]:
        """Return the resources of a type by their names in AWS, which several regions may have."""
        return self.memoized(lambda stack: name_index(stack, resource_type), (name_index, resource_type))

    def dependencies_of(self, resource: Resource, top: str, types: Sequence[str]) -> tuple[Resource, ...]:
        """Return the resources of some types that a property's value was made from.

        A component among them stands for all that it contains: languages and the component protocol do not
        agree on whether to record a component or its children.
        """
        urns = resource.property_dependencies.get(top, ())
        if len(urns) == 1:
            candidates = self.members(urns[0], tuple(types))
        else:
            every = (member for urn in urns for member in self.members(urn, tuple(types)))
            candidates = tuple({member.urn: member for member in every}.values())
        if resource.type not in types:
            return candidates
        return tuple(member for member in candidates if member.urn != resource.urn)

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
        ref: PropertyRef,
        resource_type: ResourceType,
        name_in: Callable[[str], str | None] = str,
    ) -> Relation[Resource]:
        """Tell which resource of a type a property points to.

        A known value decides by the exact name. An unknown one decides by what it was made from: exactly
        one resource of the type is it; several leave it open which; none leaves everything open.

        Args:
            owner: Whose property it is.
            ref: The property.
            resource_type: The type of resource pointed to.
            name_in: Takes the name out of the property's value, or returns None when it is of something else.
        """
        match ref.text():
            case Known(value):
                name = name_in(value)
                if name is None:
                    return Relation()
                named = self.names(resource_type).of(name)
                return Relation(named.certain) if named.certain else named
            case Unknown():
                candidates = self.dependencies_of(owner, ref.top, resource_type.types)
                if len(candidates) == 1:
                    return Relation(certain=candidates)
                return Relation(possible=candidates, anything=not candidates)
            case _:
                return Relation()


def name_index(stack: Stack, resource_type: ResourceType) -> RelationIndex[Resource]:
    """Build the index of the resources of a type by their names in AWS."""
    index = RelationIndex[Resource]()
    for resource in stack.of(*resource_type.types):
        name = resource_type.physical_name(resource)
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
