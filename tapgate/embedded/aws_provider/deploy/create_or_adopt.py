"""The start of a deployed resource: created, or adopted from an interrupted run of the same program.

A run that is killed after AWS has created something and before the engine has noted it leaves that
behind. What it made bears the program's mark, so the next run finds it and goes on with it instead of
failing or doubling it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from tapgate.embedded.aws_provider.deploy import tags
from tapgate.embedded.aws_provider.deploy.remote_state import RemoteState, params
from tapgate.embedded.aws_provider.differ import equivalent
from tapgate.embedded.aws_provider.failures import ApiError

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.operations import Answer, Call, Subject


@dataclass(frozen=True, slots=True)
class CreateOrAdopt:
    """Creates resources of one type, or finds what was begun.

    Attributes:
        remote_state: Looks at resources of the type.
    """

    remote_state: RemoteState

    def create_or_adopt(self, create: Call, subject: Subject, known: set[str]) -> str:
        """Create a resource or adopt what an interrupted run has created.

        Args:
            create: How it is created.
            subject: What is wanted.
            known: Ids that the program's state holds: none of them is adopted.

        Returns:
            Its id.

        Raises:
            ApiError: AWS refused, or something of this name exists that the program did not make.
        """
        return self._leftover(subject, known) or self._create(create, subject)

    def _create(self, create: Call, subject: Subject) -> str:
        operations = self.remote_state.operations
        given = params(create, subject)
        if operations.create_tags and operations.tags is not None:
            given[operations.create_tags] = tags.to_api(operations.tags, all_tags(subject))
        try:
            answer = self.remote_state.api.call(
                create.service or operations.service, subject.region, create.operation, given
            )
        except ApiError as error:
            if error.code not in operations.already_exists_codes:
                raise
            identifier = operations.name({}, subject)
            if self._is_ours(replace(subject, id=identifier), by_name=True):
                return identifier
            raise self._already_exists(identifier) from None
        return operations.name(answer, subject)

    def _already_exists(self, identifier: str) -> ApiError:
        return ApiError(
            f"{self.remote_state.token} `{identifier}` exists already and was not made by this program. "
            "Fix: choose another name, delete the other one, or import it",
            "AlreadyExists",
        )

    def _leftover(self, subject: Subject, known: set[str]) -> str:
        operations = self.remote_state.operations
        if operations.find is None:
            return ""
        try:
            answer = self.remote_state.call(operations.find, subject)
        except ApiError as error:
            if error.code not in operations.missing:
                raise
            return ""
        for identifier in _identifiers(answer or {}):
            candidate = replace(subject, id=identifier)
            if identifier not in known and self._is_ours(candidate, by_name=operations.must_be_new):
                return identifier
            if operations.must_be_new:
                raise self._already_exists(identifier)
        return ""

    def _is_ours(self, subject: Subject, *, by_name: bool) -> bool:
        """Return whether an interrupted run of this program made a resource, found by its own name or not."""
        operations = self.remote_state.operations
        remote_state = self.remote_state.read(subject)
        if remote_state is None:
            return False
        found = self.remote_state.tags(subject) if operations.tags is not None else {}
        if found or (operations.tags is not None and not by_name):
            return found.get(tags.MARKER) == subject.marker
        # Without tags there is no marker, and some get theirs after their creation (buckets; on ministack 1.4
        # alarms too). What has the name and is as wanted already can be taken for ours.
        return all(
            equivalent(self.remote_state.token, name, remote_state.get(name), value)
            for name, value in subject.wanted.items()
            if name in remote_state and name not in {"tags", "tagsAll"}
        )


def all_tags(subject: Subject) -> dict[str, str]:
    """Return the tags that a resource is to have: the program's, the provider's and the marker."""
    return {**tags.texts(subject.wanted.get("tagsAll")), tags.MARKER: subject.marker}


def _identifiers(answer: Answer) -> list[str]:
    return [str(item) for item in cast("list[object]", answer.get("ids") or [])]
