"""A deployed resource as it is, with its tags and the mark of who made it, and what a call of it takes."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider.description import (
    Answer,
    Call,
    CallOfSubject,
    Description,
    Operations,
    PropertyGroup,
    Subject,
)
from tapgate.embedded.aws_provider.failures import ApiError, NotDeployableError
from tapgate.embedded.aws_provider.members import Decoding, Model, hollow, inside, model, pairs_of, put
from tapgate.embedded.aws_provider.schema_store import schema_of
from tapgate.embedded.aws_provider.types import describe
from tapgate.embedded.environment import ACCOUNT

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.deploy.aws import Api
    from tapgate.embedded.aws_provider.resource_schema import ResourceSchema
    from tapgate.embedded.aws_provider.settings import Settings
    from tapgate.embedded.aws_provider.values import Properties, Value

MARKER = "stand-in:urn"
"""The tag by which a run finds what an interrupted one has left behind; it shows in no output."""


def tag_texts(tags: Value) -> dict[str, str]:
    """Take a `tags` property as texts."""
    return {key: str(value) for key, value in tags.items()} if isinstance(tags, dict) else {}


def split_tags(
    tags: Mapping[str, str], wanted: Mapping[str, Value], defaults: Mapping[str, str]
) -> Properties:
    """Split tags as found into `tags` and `tagsAll`, as pulumi-aws does.

    Args:
        tags: What AWS has.
        wanted: What the program wants, or the last known outputs.
        defaults: The provider's default tags: they are in `tags` only where the program says them too.
    """
    visible = {key: value for key, value in tags.items() if key != MARKER}
    own = tag_texts(wanted.get("tags"))
    mine: Properties = {
        key: value for key, value in visible.items() if key in own or defaults.get(key) != value
    }
    return {"tags": mine or None, "tagsAll": {**visible}}


_ACTIVE_SECONDS = 60.0
_POLL_SECONDS = 0.05
_PENDING = "__pending"
_OF_THE_PROVIDER = frozenset({"region", "tags", "tagsAll"})


@dataclass(frozen=True)
class Calls:
    """What the calls of one type take: by its description, else by botocore's models."""

    token: str
    description: Description
    operations: Operations

    @cached_property
    def schema(self) -> ResourceSchema:
        """The type's properties."""
        return schema_of(self.token)

    @cached_property
    def model(self) -> Model:
        """The service."""
        return model(self.service)

    @cached_property
    def service(self) -> str:
        """The service's name in boto3."""
        return self.operations.service or self.token.split(":")[1].partition("/")[0]

    @cached_property
    def grouped(self) -> tuple[tuple[str, ...], ...]:
        """The properties of each group."""
        return tuple(map(self._of, self.operations.property_groups))

    @cached_property
    def created(self) -> frozenset[str]:
        """The properties that the creation takes: those that can be put later, or never be changed."""
        create, replaced = self.operations.create, self.description.replaced_by
        names = {*chain(*self.grouped), *(one for one in self.schema.inputs if replaced(self.schema, one))}
        return frozenset(name for name in names if create is None or self._steps(create, name))

    @cached_property
    def covered(self) -> frozenset[str]:
        """The inputs that reach AWS or are known to mean nothing to it."""
        operations = self.operations
        own = operations.create.properties() if operations.create is not None else set[str]()
        tags = {"tags"} if operations.tags is not None else set[str]()
        groups = chain(*self.grouped)
        return frozenset({"region", "tagsAll", *operations.write_only, *groups} | self.created | own | tags)

    def params(self, call: Call, subject: Subject, takes: Iterable[str] = ()) -> dict[str, object]:
        """Return a call's parameters."""
        shape, names = self.model.input_of(call.operation), self.description.names
        members = self.model.members_of(shape)
        given: dict[str, object] = {}
        if subject.id:
            given |= {
                name: source(subject) for name, source in self.operations.key.items() if name in members
            }
        for name, source in call.params.items():
            value = source(subject)
            given[name] = (
                value if value is None else self.model.to_api(value, members.get(name, ""), names, "")
            )
        own = set(given)
        for name in takes:
            steps, value = self._steps(call, name), subject.wanted.get(name)
            if value is not None and steps and steps[0] not in own:
                member = self.model.follow(shape, steps)
                put(given, steps, self.model.to_api(value, member, names, name))
        return {name: value for name, value in given.items() if value is not None}

    def tags(self, operation: str, tags: Mapping[str, str]) -> dict[str, object]:
        """Return the parameter of an operation that takes tags, in its form; none where it takes none."""
        members = self.model.members_of(self.model.input_of(operation))
        name = next((member for member in members if member.lower() in {"tags", "tagging"}), "")
        if not name:
            return {}
        wrapped = self.model.members_of(members[name]).get("TagSet")
        made = self.model.pairs(tags, wrapped or members[name])
        return {name: {"TagSet": made} if wrapped else made}

    def read(self, answer: Answer, subject: Subject) -> Properties:
        """Read the properties that the type's own operation answers."""
        operations = self.operations
        own = inside(answer, operations.root.split(".")) if operations.root else answer
        groups = zip(operations.property_groups, self.grouped, strict=True)
        elsewhere = {name for group, names in groups if group.read is not None for name in names}
        settable = {*chain(*self.grouped)} - elsewhere
        decoding = Decoding(self.schema, self.description.names)
        properties: Properties = {}
        for name, prop in self.schema.outputs.items():
            if name in operations.readers:
                properties[name] = operations.readers[name](answer, subject)
            elif name not in elsewhere | operations.write_only | _OF_THE_PROVIDER:
                value = decoding.value(own, name, prop.type, self.schema.outputs)
                if value is not None or name in settable:
                    properties[name] = value
        return self._known(properties, subject)

    def read_group(
        self, group: PropertyGroup, names: Iterable[str], answer: Answer | None, subject: Subject
    ) -> Properties:
        """Read the properties of a group out of what its own operation answers."""
        decoding = Decoding(self.schema, self.description.names)
        properties: Properties = {}
        for name in names:
            if answer is None:
                properties[name] = None
            elif name in group.readers:
                properties[name] = group.readers[name](answer, subject)
            else:
                properties[name] = decoding.value(answer, name, self.schema.inputs[name].type)
        return self._known(properties, subject)

    def _known(self, properties: Properties, subject: Subject) -> Properties:
        """Leave out what AWS says of a property that the program does not give, where it means nothing."""
        return {
            name: None
            if subject.wanted.get(name) is None
            and (hollow(value) or value == self.description.absent.get(name))
            else value
            for name, value in properties.items()
        }

    def _of(self, group: PropertyGroup) -> tuple[str, ...]:
        if group.properties or not isinstance(group.put, Call):
            return group.properties
        keys, call = set(self.operations.key), group.put
        left_out = {*self.operations.write_only, *_OF_THE_PROVIDER}
        return tuple(
            name
            for name in self.schema.inputs
            if name not in left_out and not self.description.replaced_by(self.schema, name)
            if (steps := self._steps(call, name)) and steps[0] not in keys
        )

    def _steps(self, call: Call, name: str) -> tuple[str, ...]:
        shape = self.model.input_of(call.operation)
        steps = self.model.steps(shape, name, self.description.names)
        return steps if self.model.follow(shape, steps) else ()


@dataclass(frozen=True, slots=True)
class RemoteState:
    """Looks at resources of one type; an ApiError says that AWS refuses to tell."""

    token: str
    api: Api
    settings: Settings

    @property
    def operations(self) -> Operations:
        """How the type is deployed."""
        return self.calls.operations

    @property
    def calls(self) -> Calls:
        """What its calls take; a NotDeployableError where the stand-in only previews it."""
        return _calls(self.token)

    def subject(self, identifier: str, wanted: Properties, marker: str = "") -> Subject:
        """Return what an operation is about."""
        region = wanted.get("region")
        return Subject(
            id=identifier,
            wanted=wanted,
            region=region if isinstance(region, str) else self.settings.region,
            account=ACCOUNT,
            marker=marker,
        )

    def look(self, subject: Subject) -> Properties | None:
        """Read a resource; None when it does not exist."""
        operations = self.operations
        try:
            answer = self.call(operations.read, subject)
            if answer is None:
                return None
            remote_state = self.calls.read(answer, subject)
            for group, names in zip(operations.property_groups, self.calls.grouped, strict=True):
                if group.read is not None:
                    told = self._told(group.read, group.absent, subject)
                    remote_state.update(self.calls.read_group(group, names, told, subject))
        except ApiError as error:
            if operations.is_missing(error.code):
                return None
            raise
        for path in operations.not_returned:
            _take_as_wanted(remote_state, subject.wanted, path)
        if operations.tags is not None:
            remote_state.update(split_tags(self.tags(subject), subject.wanted, self.settings.default_tags))
        if operations.active is not None and not operations.active(answer):
            remote_state[_PENDING] = True
        return remote_state

    def existing(self, subject: Subject) -> Properties:
        """Read a resource that has to exist, once a change of it that is under way is done."""
        deadline = time.monotonic() + _ACTIVE_SECONDS
        while True:
            remote_state = self.look(subject)
            if remote_state is None:
                raise ApiError(
                    f"{self.token} `{subject.id}` does not exist any more: somebody deleted it, or the "
                    "emulator was started anew. Fix: pulumi refresh, then pulumi up",
                    "NotFound",
                )
            if _PENDING not in remote_state or time.monotonic() > deadline:
                remote_state.pop(_PENDING, None)
                return remote_state
            time.sleep(_POLL_SECONDS)

    def tags(self, subject: Subject) -> dict[str, str]:
        """Read a resource's tags, the marker among them."""
        tagging = self.operations.tags
        if tagging is None:
            return {}
        answer = self._told(Call(tagging.read, dict([tagging.resource])), tagging.absent, subject)
        listed = (inside(answer, (name,)) for name in ("Tags", "tags", "TagSet"))
        return {key: str(value) for key, value in pairs_of(next(filter(None, listed), None)).items()}

    def call(self, call: Call, subject: Subject) -> Answer | None:
        """Carry out a call of the type's description."""
        answer = self.request(call.operation, subject, self.calls.params(call, subject))
        return call.pick(answer, subject) if call.pick is not None else answer

    def request(self, operation: str, subject: Subject, params: dict[str, object]) -> Answer:
        """Carry out an operation of the type's service."""
        return self.api.call(self.calls.service, subject.region, operation, params)

    def _told(self, read: Call, absent: AbstractSet[str], subject: Subject) -> Answer | None:
        try:
            return self.call(read, subject)
        except ApiError as error:
            if error.code not in absent:
                raise
            return None


@functools.cache
def _calls(token: str) -> Calls:
    description = describe(token)
    if description.operations is None:
        raise NotDeployableError(
            f"The stand-in AWS provider previews {token} but cannot deploy it. "
            "Fix: leave it out on the emulator, or deploy with the real provider (--aws real)"
        )
    return Calls(token, description, description.operations)


def chosen(call_or_none: CallOfSubject, subject: Subject) -> Call | None:
    """Return the call that a choice comes to; None for none."""
    return call_or_none if isinstance(call_or_none, Call) else call_or_none(subject)


def _take_as_wanted(remote_state: Properties, wanted: Mapping[str, Value], path: str) -> None:
    name, _, inner = path.partition(".")
    of_remote, of_wanted = remote_state.get(name), wanted.get(name)
    if inner:
        if isinstance(of_remote, dict) and isinstance(of_wanted, dict):
            _take_as_wanted(of_remote, of_wanted, inner)
    elif of_remote is None and of_wanted is not None:
        remote_state[name] = of_wanted
