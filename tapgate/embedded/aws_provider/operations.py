"""The language in which a type's description says how AWS creates, reads, changes and deletes it.

Pure data: nothing here calls anything. `deploy` carries it out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tapgate.embedded.aws_provider.values import Properties, Value

Answer: TypeAlias = "Mapping[str, object]"
"""What an operation of AWS's API answers."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The resource that an operation is about.

    Attributes:
        id: Its id; empty until it is created.
        wanted: What the program wants of it; its last known outputs where it is only read or deleted.
        region: Where it is.
        account: The account that it is in.
        marker: What marks it as made by this program; empty where nothing is made.
    """

    id: str
    wanted: Properties
    region: str
    account: str
    marker: str = ""


class Source(Protocol):
    """Where a parameter of an operation comes from; None leaves the parameter out."""

    def __call__(self, subject: Subject, /) -> object:
        """Return the parameter's value."""
        ...


Convert: TypeAlias = "Callable[[Value], object]"
Reader: TypeAlias = "Callable[[Answer, Subject], Value]"
"""Reads a property out of an answer; None when the resource does not have it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The value that the program wants of a property.

    Attributes:
        property: A top-level property, in Pulumi's casing.
        convert: Makes AWS's form of it; not called when the program wants none.
    """

    property: str
    convert: Convert | None = None

    def __call__(self, subject: Subject, /) -> object:
        """Return the parameter's value."""
        value = subject.wanted.get(self.property)
        return value if value is None or self.convert is None else self.convert(value)


@dataclass(frozen=True, slots=True)
class Computed:
    """A value made of several properties.

    Attributes:
        properties: The properties that go into it.
        make: Makes it of what the program wants.
    """

    properties: tuple[str, ...]
    make: Callable[[Properties], object]

    def __call__(self, subject: Subject, /) -> object:
        """Return the parameter's value."""
        return self.make(subject.wanted)


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same value."""

    value: object

    def __call__(self, _subject: Subject, /) -> object:
        """Return the parameter's value."""
        return self.value


def alike(*properties: str) -> dict[str, str]:
    """Return the names that properties have in AWS where that is Pulumi's with a capital, by property."""
    return {name: name[:1].upper() + name[1:] for name in properties}


def own(*properties: str) -> dict[str, Source]:
    """Return the parameters that have the names of properties, and their values."""
    return {member: Wanted(name) for name, member in alike(*properties).items()}


def told(path: str, *properties: str) -> dict[str, Reader]:
    """Return the readers of properties that an answer has by their names, in the object at a path."""
    prefix = f"{path}." if path else ""
    return {name: at(f"{prefix}{member}") for name, member in alike(*properties).items()}


def identity(subject: Subject) -> object:
    """Return the resource's id."""
    return subject.id


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of AWS's API.

    Attributes:
        operation: Its name in boto3, e.g. `put_key_policy`.
        params: Where its parameters come from.
        pick: Takes the part of the answer that is about the resource; None when there is none.
        service: The service, where it is not the type's.
    """

    operation: str
    params: Mapping[str, Source] = field(default_factory=dict[str, "Source"])
    pick: Callable[[Answer, Subject], Answer | None] | None = None
    service: str = ""

    def properties(self) -> set[str]:
        """Name the properties that its parameters are made of."""
        found: set[str] = set()
        for source in self.params.values():
            if isinstance(source, Wanted):
                found.add(source.property)
            elif isinstance(source, Computed):
                found.update(source.properties)
        return found


Choice: TypeAlias = "Call | Callable[[Subject], Call | None]"


@dataclass(frozen=True, slots=True)
class PropertyGroup:
    """Properties that AWS sets and reads with operations of their own.

    Attributes:
        properties: Which ones.
        put: Makes them as the program wants them; a function where it depends on what is wanted.
        clear: Takes them away when the program wants none of them; `put` does that too where it is None.
        read: Reads them; the resource's own `read` does where it is None.
        found: Reads each property out of the answer.
        absent: Error codes that say that there is nothing to read.
    """

    properties: tuple[str, ...]
    put: Choice
    clear: Call | None = None
    read: Call | None = None
    found: Mapping[str, Reader] = field(default_factory=dict[str, "Reader"])
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Tagging:
    """How a type's tags are read and changed.

    Attributes:
        read: Lists them.
        path: Where in the answer they are.
        tag: Adds or changes some; `untag` removes some.
        untag: See `tag`. None where `tag` replaces them all.
        resource: The parameter that names the resource, and where it comes from.
        key: The name of a tag's key in AWS's form of a list; empty where tags are a map.
        value: The name of its value.
        tags_param: The parameter of `tag` that has the tags.
        keys_param: The parameter of `untag` that has the keys.
        wrapped: Where the tags are inside `tags_param`; empty when they are it.
        absent: Error codes that say that there are none.
    """

    read: str
    path: str
    tag: str
    untag: str | None
    resource: tuple[str, Source]
    key: str = "Key"
    value: str = "Value"
    tags_param: str = "Tags"
    keys_param: str = "TagKeys"
    wrapped: str = ""
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Operations:
    """How a type is created, read, changed and deleted.

    Attributes:
        service: The service's name in boto3.
        create: Creates it; None where the property_groups' `put` does.
        name: The id that it has or will have: of the answer to `create`, or of what the program wants.
        read: Reads it.
        found: Reads properties out of the answer to `read`.
        delete: Deletes it; several in turn.
        property_groups: Properties with operations of their own, in the order in which they are put.
        tags: How tags are read and changed; None where it has none.
        create_tags: The parameter of `create` that takes tags; empty where it takes none.
        missing: Error codes that say that the resource does not exist.
        already_exists_codes: Error codes of `create` that say that something of this name exists.
        find: Finds what has the name already, or what an interrupted run may have left behind: `ids` in
            the answer.
        must_be_new: What `find` finds is an error unless it was left behind: `create` would take it over
            silently.
        from_id: The properties that follow from the id, for imports.
        import_id: Makes the id of what a user gives to an import, where that is more.
        write_only: Properties that AWS does not return, or that mean nothing to it.
        not_returned: Properties that an emulator may keep and not return: they count as they were; `a.b` for
            the property `b` of the object `a`.
        active: Tells from the answer to `read` whether a change is done; None where changes are done at once.
        pre_delete: Operations before `delete` that take away what would hinder it: name of a function in
            `deploy`.
    """

    service: str
    read: Call
    name: Callable[[Answer, Subject], str]
    create: Call | None = None
    found: Mapping[str, Reader] = field(default_factory=dict[str, "Reader"])
    delete: tuple[Choice, ...] = ()
    property_groups: tuple[PropertyGroup, ...] = ()
    tags: Tagging | None = None
    create_tags: str = ""
    missing: frozenset[str] = frozenset()
    already_exists_codes: frozenset[str] = frozenset()
    find: Call | None = None
    must_be_new: bool = False
    from_id: Callable[[str], Properties] | None = None
    import_id: Callable[[str], str] | None = None
    write_only: frozenset[str] = frozenset()
    not_returned: frozenset[str] = frozenset()
    active: Callable[[Answer], bool] | None = None
    pre_delete: str = ""

    def properties(self) -> set[str]:
        """Name the inputs that reach AWS or are known to mean nothing to it."""
        covered = {"region", "tagsAll", *self.write_only}
        if self.create is not None:
            covered |= self.create.properties()
        if self.tags is not None:
            covered.add("tags")
        for group in self.property_groups:
            covered.update(group.properties)
        return covered


def inside(answer: object, steps: Iterable[str]) -> object:
    """Follow keys into an answer; None where one of them is missing."""
    value = answer
    for step in steps:
        value = cast("dict[str, object]", value).get(step) if isinstance(value, dict) else None
    return value


def at(path: str, convert: Callable[[object], Value] | None = None) -> Reader:
    """Read a property from a path in the answer, e.g. `KeyMetadata.Arn`."""
    steps = path.split(".")

    def read(answer: Answer, _subject: Subject) -> Value:
        value = inside(answer, steps)
        if value is None:
            return None
        return convert(value) if convert is not None else cast("Value", value)

    return read


def named(path: str) -> Callable[[Answer, Subject], str]:
    """Return the id from a path in the answer to `create`."""
    reader = at(path)
    return lambda answer, subject: str(reader(answer, subject))


def wanted_name(*properties: str) -> Callable[[Answer, Subject], str]:
    """Return the id as the program's properties, joined by `:`."""
    return lambda _answer, subject: ":".join(
        str(subject.wanted[name]) for name in properties if subject.wanted.get(name) is not None
    )


def from_id(*properties: str) -> Callable[[str], Properties]:
    """Return which properties the parts of an id are, separated by `:`; a single one is the whole id."""

    def properties_of(identifier: str) -> Properties:
        parts = [identifier] if len(properties) == 1 else identifier.split(":", len(properties) - 1)
        return dict(zip(properties, parts, strict=False))

    return properties_of


def picked(path: str, key: str) -> Callable[[Answer, Subject], Answer | None]:
    """Take the one element of a list in the answer whose `key` is the resource's id."""

    def pick(answer: Answer, subject: Subject) -> Answer | None:
        items = cast("list[Answer]", answer.get(path) or [])
        return next((item for item in items if item.get(key) == subject.id), None)

    return pick
