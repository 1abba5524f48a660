"""A deployed resource as it is, its tags and the mark of who made it among them: all that only looks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from tapgate.embedded.aws_provider.failures import ApiError, NotDeployableError
from tapgate.embedded.aws_provider.operations import Call, Subject, inside
from tapgate.embedded.aws_provider.settings import ACCOUNT
from tapgate.embedded.aws_provider.types import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.embedded.aws_provider.deploy.aws import Api
    from tapgate.embedded.aws_provider.operations import (
        Answer,
        Choice,
        Operations,
        PropertyGroup,
        Reader,
        Tagging,
    )
    from tapgate.embedded.aws_provider.settings import Settings
    from tapgate.embedded.aws_provider.values import Properties, Value

MARKER = "stand-in:urn"
"""The tag by which a run finds what an interrupted one has left behind; it shows in no output."""


def tags_to_api(tagging: Tagging, tags: Mapping[str, str]) -> object:
    """Make AWS's form of tags: a map, or a list of pairs."""
    if not tagging.key:
        return dict(tags)
    pairs = [{tagging.key: key, tagging.value: value} for key, value in tags.items()]
    return {tagging.wrapped: pairs} if tagging.wrapped else pairs


def tags_from_api(tagging: Tagging, answer: Answer) -> dict[str, str]:
    """Read tags out of an answer, the marker among them."""
    found = inside(answer, tagging.path.split("."))
    if isinstance(found, list):
        pairs = cast("list[Mapping[str, str]]", found)
        return {pair[tagging.key]: pair.get(tagging.value, "") for pair in pairs}
    return dict(cast("Mapping[str, str]", found)) if found else {}


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


@dataclass(frozen=True, slots=True)
class RemoteState:
    """Looks at resources of one type.

    Attributes:
        token: The type.
        api: AWS's API on an emulator.
        settings: The provider's configuration.
    """

    token: str
    api: Api
    settings: Settings

    @property
    def operations(self) -> Operations:
        """How the type is deployed.

        Raises:
            NotDeployableError: The stand-in only previews it.
        """
        operations = describe(self.token).operations
        if operations is None:
            msg = (
                f"The stand-in AWS provider previews {self.token} but cannot deploy it. "
                "Fix: leave it out on the emulator, or deploy with the real provider (--aws real)"
            )
            raise NotDeployableError(msg)
        return operations

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

    def read(self, subject: Subject) -> Properties | None:
        """Read a resource; None when it does not exist.

        Raises:
            ApiError: AWS refused to tell.
        """
        operations = self.operations
        try:
            answer = self.call(operations.read, subject)
            if answer is None:
                return None
            remote_state = _found(operations.found, answer, subject)
            for group in operations.property_groups:
                remote_state.update(self._group(group, answer, subject))
        except ApiError as error:
            if error.code in operations.missing:
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
        """Read a resource that has to exist, once a change of it that is under way is done.

        Raises:
            ApiError: It does not exist, or AWS refused to tell.
        """
        deadline = time.monotonic() + _ACTIVE_SECONDS
        while True:
            remote_state = self.read(subject)
            if remote_state is None:
                msg = (
                    f"{self.token} `{subject.id}` does not exist any more: somebody deleted it, or the "
                    "emulator was "
                    "started anew. Fix: pulumi refresh, then pulumi up"
                )
                raise ApiError(msg, "NotFound")
            if _PENDING not in remote_state or time.monotonic() > deadline:
                remote_state.pop(_PENDING, None)
                return remote_state
            time.sleep(_POLL_SECONDS)

    def tags(self, subject: Subject) -> dict[str, str]:
        """Read a resource's tags, the marker among them."""
        tagging = self.operations.tags
        if tagging is None:
            return {}
        name, source = tagging.resource
        try:
            answer = self.call(Call(tagging.read, {name: source}), subject)
        except ApiError as error:
            if error.code not in tagging.absent:
                raise
            return {}
        return tags_from_api(tagging, answer or {})

    def call(self, call: Call, subject: Subject) -> Answer | None:
        """Carry out a call of the type's description."""
        service = call.service or self.operations.service
        answer = self.api.call(service, subject.region, call.operation, params(call, subject))
        return call.pick(answer, subject) if call.pick is not None else answer

    def plain(self, operation: str, subject: Subject, params: dict[str, object]) -> Answer:
        """Carry out an operation of the type's service."""
        return self.api.call(self.operations.service, subject.region, operation, params)

    def _group(self, group: PropertyGroup, answer: Answer, subject: Subject) -> Properties:
        if group.read is None:
            return _found(group.found, answer, subject)
        try:
            own = self.call(group.read, subject)
        except ApiError as error:
            if error.code not in group.absent:
                raise
            own = None
        return _found(group.found, own, subject) if own is not None else dict.fromkeys(group.found)


def params(call: Call, subject: Subject) -> dict[str, object]:
    """Return a call's parameters."""
    found = {name: source(subject) for name, source in call.params.items()}
    return {name: value for name, value in found.items() if value is not None}


def chosen(choice: Choice, subject: Subject) -> Call | None:
    """Return the call that a choice comes to; None for none."""
    return choice if isinstance(choice, Call) else choice(subject)


def _take_as_wanted(remote_state: Properties, wanted: Mapping[str, Value], path: str) -> None:
    name, _, inner = path.partition(".")
    of_remote, of_wanted = remote_state.get(name), wanted.get(name)
    if inner:
        if isinstance(of_remote, dict) and isinstance(of_wanted, dict):
            _take_as_wanted(of_remote, of_wanted, inner)
    elif of_remote is None and of_wanted is not None:
        remote_state[name] = of_wanted


def _found(readers: Mapping[str, Reader], answer: Answer, subject: Subject) -> Properties:
    return {name: reader(answer, subject) for name, reader in readers.items()}
