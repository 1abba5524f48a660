"""The start of a deployed resource: created, or taken over from an interrupted run of the same program.

A run that is killed after AWS has created something and before the engine has noted it leaves that
behind. What it made bears the program's mark, so the next run finds it and goes on with it instead of
failing or doubling it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from tapgate.embedded.aws_provider.deploy import tags
from tapgate.embedded.aws_provider.deploy.live import Live, params
from tapgate.embedded.aws_provider.differ import equivalent
from tapgate.embedded.aws_provider.failures import ApiError

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.operations import Answer, Call, Subject


@dataclass(frozen=True, slots=True)
class Beginning:
    """Creates resources of one type, or finds what was begun.

    Attributes:
        live: Looks at resources of the type.
    """

    live: Live

    def begin(self, create: Call, subject: Subject, known: set[str]) -> str:
        """Create a resource or take over what an interrupted run has created.

        Args:
            create: How it is created.
            subject: What is wanted.
            known: Ids that the program's state holds: none of them is taken over.

        Returns:
            Its id.

        Raises:
            ApiError: AWS refused, or something of this name exists that the program did not make.
        """
        return self._leftover(subject, known) or self._create(create, subject)

    def _create(self, create: Call, subject: Subject) -> str:
        operations = self.live.operations
        given = params(create, subject)
        if operations.create_tags and operations.tags is not None:
            given[operations.create_tags] = tags.to_api(operations.tags, all_tags(subject))
        try:
            answer = self.live.api.call(
                create.service or operations.service, subject.region, create.operation, given
            )
        except ApiError as error:
            if error.code not in operations.taken:
                raise
            identifier = operations.name({}, subject)
            if self._is_ours(replace(subject, id=identifier), by_name=True):
                return identifier
            raise self._taken(identifier) from None
        return operations.name(answer, subject)

    def _taken(self, identifier: str) -> ApiError:
        return ApiError(
            f"{self.live.token} `{identifier}` exists already and was not made by this program. "
            "Fix: choose another name, delete the other one, or import it",
            "AlreadyExists",
        )

    def _leftover(self, subject: Subject, known: set[str]) -> str:
        operations = self.live.operations
        if operations.find is None:
            return ""
        try:
            answer = self.live.call(operations.find, subject)
        except ApiError as error:
            if error.code not in operations.missing:
                raise
            return ""
        for identifier in _identifiers(answer or {}):
            candidate = replace(subject, id=identifier)
            if identifier not in known and self._is_ours(candidate, by_name=operations.exclusive):
                return identifier
            if operations.exclusive:
                raise self._taken(identifier)
        return ""

    def _is_ours(self, subject: Subject, *, by_name: bool) -> bool:
        """Tell whether an interrupted run of this program made a resource, found by its own name or not."""
        operations = self.live.operations
        live = self.live.read(subject)
        if live is None:
            return False
        found = self.live.tags(subject) if operations.tags is not None else {}
        if found or (operations.tags is not None and not by_name):
            return found.get(tags.MARKER) == subject.marker
        # Without tags there is no marker, and some get theirs after their creation (buckets; on ministack 1.4
        # alarms too). What has the name and is as wanted already can be taken for ours.
        return all(
            equivalent(self.live.token, name, live.get(name), value)
            for name, value in subject.wanted.items()
            if name in live and name not in {"tags", "tagsAll"}
        )


def all_tags(subject: Subject) -> dict[str, str]:
    """Give the tags that a resource is to have: the program's, the provider's and the marker."""
    return {**tags.texts(subject.wanted.get("tagsAll")), tags.MARKER: subject.marker}


def _identifiers(answer: Answer) -> list[str]:
    return [str(item) for item in cast("list[object]", answer.get("ids") or [])]
