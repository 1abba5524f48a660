"""The language in which is said what pulumi-aws knows of a type, and how AWS creates, reads and changes it.

Pure data: nothing here calls anything; `deploy` carries it out. What follows from botocore's models is not
said: an operation takes the properties that its input has members for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, cast

from tapgate.embedded.aws_provider.members import Names, inside

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.resource_schema import Limit, ResourceSchema
    from tapgate.embedded.aws_provider.values import Properties, Value

Answer: TypeAlias = "Mapping[str, object]"
"""What an operation of AWS's API answers."""
_MISSING = re.compile("404|NotFound|NoSuch|NonExistent|DoesNotExist")
_EXISTS = re.compile("Exists|AlreadyOwned|ResourceInUse|ResourceConflict")


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

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN in the resource's region and account."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


Source: TypeAlias = "Callable[[Subject], object]"
"""Where a parameter of an operation comes from; None leaves the parameter out."""
Caller: TypeAlias = "Callable[[str, dict[str, object]], Answer]"
"""Calls an operation of the resource's service."""
Reader: TypeAlias = "Callable[[Answer, Subject], Value]"
"""Reads a property out of an answer; None when the resource does not have it."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A value made of properties.

    Attributes:
        properties: The properties that go into it.
        make: Makes it of what the program wants.
    """

    properties: tuple[str, ...]
    make: Callable[[Properties], object]

    def __call__(self, subject: Subject, /) -> object:
        """Return the parameter's value."""
        return self.make(subject.wanted)


def value_of(name: str) -> Computed:
    """Return the value that the program wants of a property, in the form of the operation's model."""
    return Computed((name,), lambda wanted: wanted.get(name))


def identity(subject: Subject) -> object:
    """Return the resource's id."""
    return subject.id


def always(value: object) -> Source:
    """Return always the same value."""
    return lambda _subject: value


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of AWS's API.

    Attributes:
        operation: Its name in boto3, e.g. `put_key_policy`.
        params: Where those parameters come from that are no properties by themselves.
        pick: Takes the part of the answer that is about the resource; None when there is none.
    """

    operation: str
    params: Mapping[str, Source] = field(default_factory=dict[str, "Source"])
    pick: Callable[[Answer, Subject], Answer | None] | None = None

    def properties(self) -> set[str]:
        """Name the properties that its own parameters are made of."""
        computed = (source for source in self.params.values() if isinstance(source, Computed))
        return {name for source in computed for name in source.properties}


CallOfSubject: TypeAlias = "Call | Callable[[Subject], Call | None]"


@dataclass(frozen=True, slots=True)
class PropertyGroup:
    """Properties that AWS sets and reads with operations of their own.

    Attributes:
        put: Makes them as the program wants them; a function where it depends on what is wanted.
        properties: Which ones, where that are not all that `put` has members for.
        clear: Takes them away when the program wants none of them; `put` does that too where it is None.
        empty: What `put` is given for a property that the program does not want, by member.
        read: Reads them; the resource's own `read` does where it is None.
        readers: Reads properties out of the answer that are not there by their names.
        absent: Error codes that say that there is nothing to read.
    """

    put: CallOfSubject
    properties: tuple[str, ...] = ()
    clear: Call | None = None
    empty: Mapping[str, object] = field(default_factory=dict[str, object])
    read: Call | None = None
    readers: Mapping[str, Reader] = field(default_factory=dict[str, "Reader"])
    absent: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Tagging:
    """How a type's tags are read and changed.

    Attributes:
        read: Lists them.
        resource: The parameter that names the resource, and where it comes from.
        tag: Adds or changes some; `untag` removes some.
        untag: See `tag`. None where `tag` replaces them all.
        absent: Error codes that say that there are none.
    """

    read: str
    resource: tuple[str, Source]
    tag: str = "tag_resource"
    untag: str | None = "untag_resource"
    absent: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Operations:
    """How a type is created, read, changed and deleted.

    Attributes:
        key: The parameters that say in every operation which resource it is about.
        read: Reads it.
        service: The service's name in boto3, where it is not that of the module in Pulumi.
        id: The properties that the id is made of.
        separator: Between the properties of an id, or of what an import takes.
        answered: Where the answer to `create` has the id, for what AWS names.
        imported: The properties of what an import takes, where that is more than the id.
        create: Creates it; None where the property groups' `put` does.
        root: The object of the answer to `read` that has the properties, e.g. `Table`.
        readers: Reads properties out of the answer to `read` that are not in `root` by their names.
        delete: Deletes it; several in turn.
        property_groups: Properties with operations of their own, in the order in which they are put.
        tags: How tags are read and changed; None where it has none.
        missing: Error codes that say that the resource does not exist, besides those that read so.
        find: Finds what has the name already, or what an interrupted run may have left behind: `ids` in
            the answer.
        must_be_new: What `find` finds is an error unless it was left behind: `create` would take it over
            silently.
        write_only: Properties that AWS does not return, or that mean nothing to it.
        not_returned: Properties that an emulator may keep and not return: they count as they were; `a.b` for
            the property `b` of the object `a`.
        active: Tells from the answer to `read` whether a change is done; None where changes are done at once.
        pre_delete: Takes away what would hinder `delete`.
    """

    key: Mapping[str, Source]
    read: Call
    service: str = ""
    id: tuple[str, ...] = ("name",)
    separator: str = ":"
    answered: str = ""
    imported: tuple[str, ...] = ()
    create: Call | None = None
    root: str = ""
    readers: Mapping[str, Reader] = field(default_factory=dict[str, "Reader"])
    delete: tuple[CallOfSubject, ...] = ()
    property_groups: tuple[PropertyGroup, ...] = ()
    tags: Tagging | None = None
    missing: AbstractSet[str] = frozenset()
    find: Call | None = None
    must_be_new: bool = False
    write_only: AbstractSet[str] = frozenset()
    not_returned: AbstractSet[str] = frozenset()
    active: Callable[[Answer], bool] | None = None
    pre_delete: Callable[[Caller, Subject], None] | None = None

    def name(self, answer: Answer, subject: Subject) -> str:
        """Return the id that a resource has by the answer to `create`, or will have by what is wanted."""
        if self.answered:
            return str(inside(answer, self.answered.split(".")))
        return self.separator.join(
            str(segment) for name in self.id if (segment := subject.wanted.get(name)) is not None
        )

    def of_import(self, given: str) -> tuple[str, Properties]:
        """Return the id, and the properties that follow from what a user gives to an import."""
        names = self.imported or self.id
        known: Properties = dict(zip(names, given.split(self.separator, len(names) - 1), strict=False))
        return self.separator.join(str(known[name]) for name in self.id if name in known), known

    def is_missing(self, code: str) -> bool:
        """Return whether an error code says that the resource does not exist."""
        return code in self.missing or _MISSING.search(code) is not None

    def exists_already(self, code: str) -> bool:
        """Return whether an error code of `create` says that something of the name exists."""
        return not self.answered and _EXISTS.search(code) is not None


@dataclass(frozen=True, slots=True)
class Description:
    """What pulumi-aws knows of one type beyond its inputs and outputs.

    Names are top-level properties in Pulumi's casing unless said otherwise. Source of all of it: the
    type's schema in terraform-provider-aws 6 (ForceNew, Default, TypeSet, ValidateFunc) and pulumi-aws 7's
    overrides.

    Attributes:
        replaces: A change of one of these makes a new resource; `a.b` for the property `b` of the object `a`.
        defaults: What Check fills in when the program says nothing.
        absent: What AWS takes a property for that was not given, where that is more than nothing, zero or
            false.
        sets: Lists whose order means nothing; `a.b` for the list `b` in the object `a`, or in each object of
            the list `a`.
        documents: Properties that hold a JSON document, compared by meaning; `a.b` as with `sets`.
        limits: What values a property takes, where pulumi_aws's documentation and botocore's models do not
            say it or say it wrongly; paths as with `sets`.
        rules: What holds between properties: of the inputs and those of the last deployment, each gives the
            path and the reason of what AWS refuses.
        names: The members that properties are in AWS's API, where that does not follow from their names;
            paths as with `sets`, members with dots where they are in another one.
        replaced_first: The old one has to go before the replacement is created.
        computed: What AWS fills in inside an object when the program leaves it out; paths as with `sets`.
        operations: How the type is deployed on an emulator; None where it is only previewed.
        known: Whether anything is known of the type beyond its schema.
        changes_with: Outputs that get a new value when an input changes, by input; `*` is any input.
    """

    replaces: AbstractSet[str] = frozenset()
    defaults: Mapping[str, Value] = field(default_factory=dict[str, "Value"])
    absent: Mapping[str, Value] = field(default_factory=dict[str, "Value"])
    sets: AbstractSet[str] = frozenset()
    documents: AbstractSet[str] = frozenset()
    limits: Mapping[str, Limit] = field(default_factory=dict[str, "Limit"])
    rules: tuple[Rule, ...] = ()
    names: Names = field(default_factory=dict[str, str])
    replaced_first: bool = False
    computed: AbstractSet[str] = frozenset()
    operations: Operations | None = None
    changes_with: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    known: bool = True

    def replaced_by(self, schema: ResourceSchema, name: str) -> bool:
        """Return whether every change of a top-level property makes a new resource."""
        prop = schema.inputs.get(name)
        return name == "region" or name in self.replaces or (prop is not None and prop.replaces)


Rule: TypeAlias = "Callable[[Properties, Properties], Iterator[tuple[str, str]]]"


def at(path: str) -> Reader:
    """Read a property from a path in the answer, e.g. `KeyMetadata.Arn`."""
    steps = path.split(".")
    return lambda answer, _subject: cast("Value", inside(answer, steps))


def picked(path: str, key: str) -> Callable[[Answer, Subject], Answer | None]:
    """Take the one element of a list in the answer whose `key` is the resource's id."""

    def pick(answer: Answer, subject: Subject) -> Answer | None:
        items = cast("list[Answer]", answer.get(path) or [])
        return next((item for item in items if item.get(key) == subject.id), None)

    return pick


def ids(path: str, key: str) -> Callable[[Answer, Subject], Answer]:
    """Return, for `find`, the ids of what a list in the answer has."""
    return lambda answer, _subject: {
        "ids": [item[key] for item in cast("list[dict[str, str]]", answer.get(path) or [])]
    }


def document(path: str) -> Reader:
    """Read a JSON document, which boto3 may have parsed already."""

    def read(answer: Answer, subject: Subject) -> Value:
        value: object = at(path)(answer, subject)
        return value if value is None or isinstance(value, str) else json.dumps(value)

    return read


def _text(value: Value) -> str:
    """Write a value as the text that maps of attributes hold: `true`, `30`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def attribute_name(name: str, names: Names) -> str:
    """Return what a property is called in a map of attributes."""
    return names.get(name, name[:1].upper() + name[1:])


def all_attributes(*properties: str, names: Names) -> Computed:
    """Return the map of those attributes that the program wants; None when it wants none."""

    def make(wanted: Properties) -> object:
        given = [name for name in properties if wanted.get(name) is not None]
        return {attribute_name(name, names): _text(wanted[name]) for name in given} or None

    return Computed(properties, make)


def one_attribute(name: str, cleared: str = "") -> Computed:
    """Return an attribute's text, cleared when the program does not want it."""
    return Computed((name,), lambda wanted: cleared if wanted.get(name) is None else _text(wanted[name]))
