"""The life of one deployed resource: created or adopted, made as wanted, read, deleted.

Creating, updating and repairing are one thing here: see that the resource is there, read it, and put
every group that is not as the program wants it. So a run that follows an interrupted one ends where that
one would have ended. A run that is killed after AWS has created something and before the engine has noted
it leaves that behind. What it made bears the program's mark, so the next run finds it and goes on with it
instead of failing or doubling it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from tapgate.embedded.aws_provider.deploy.remote_state import MARKER, RemoteState, chosen, tag_texts
from tapgate.embedded.aws_provider.differ import equivalent
from tapgate.embedded.aws_provider.failures import ApiError, NotDeployableError, PartlyCreatedError
from tapgate.embedded.aws_provider.inputs import DEFAULTS

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.description import Call, PropertyGroup, Subject, Tagging
    from tapgate.embedded.aws_provider.values import Properties, Value


@dataclass(frozen=True, slots=True)
class Lifecycle(RemoteState):
    """Deploys resources of one type.

    Each method raises an ApiError where AWS refuses something.
    """

    def create(self, urn: str, inputs: Properties, known: set[str]) -> tuple[str, Properties]:
        """Create a resource, or adopt what an interrupted run of this program has created.

        Args:
            urn: Its name in the program.
            inputs: Its checked inputs.
            known: Ids that the program's state holds: none of them is adopted.

        Returns:
            Its id and outputs.

        Raises:
            PartlyCreatedError: AWS created it, but then refused something of it.
            NotDeployableError: The stand-in cannot deploy it.
        """
        create = self.operations.create
        self._refuse_uncovered(inputs)
        subject = self.subject("", inputs, urn)
        if create is None:
            subject = replace(subject, id=self.operations.name({}, subject))
        else:
            subject = replace(subject, id=self._leftover(subject, known) or self._create(create, subject))
        try:
            return subject.id, self._make_as_wanted(subject, created=create is None)
        except ApiError as error:
            raise PartlyCreatedError(str(error), subject.id, self._last_known(subject)) from None

    def update(self, identifier: str, urn: str, inputs: Properties) -> Properties:
        """Make a resource as wanted; that it is gone is an ApiError, too."""
        self._refuse_uncovered(inputs)
        return self._make_as_wanted(self.subject(identifier, inputs, urn), created=False)

    def read(self, identifier: str, state: Properties) -> Properties | None:
        """Read a resource.

        Args:
            identifier: Its id, or what a user gives to an import.
            state: Its last known outputs; empty for an import.

        Returns:
            Its outputs; None when it does not exist.
        """
        known = dict(state)
        if not known:
            identifier, known = self.operations.of_import(identifier)
        remote_state = self.look(self.subject(identifier, known))
        if remote_state is None:
            return None
        kept = {name: value for name, value in known.items() if name not in remote_state}
        return self._outputs(kept, {**known, **kept}, remote_state)

    def delete(self, identifier: str, state: Properties) -> None:
        """Delete a resource; one that is gone already is deleted."""
        operations = self.operations
        subject = self.subject(identifier, state)
        try:
            if operations.pre_delete is not None:
                operations.pre_delete(lambda name, given: self.request(name, subject, given), subject)
            for call_or_none in operations.delete:
                call = chosen(call_or_none, subject)
                if call is not None:
                    self.call(call, subject)
        except ApiError as error:
            if not operations.is_missing(error.code):
                raise

    def _make_as_wanted(self, subject: Subject, *, created: bool) -> Properties:
        remote_state: Properties = {} if created else self.existing(subject)
        for group, names in zip(self.operations.property_groups, self.calls.grouped, strict=True):
            if created or not all(
                equivalent(self.token, name, remote_state.get(name), subject.wanted.get(name))
                for name in names
            ):
                self._put(group, names, subject)
        if self.operations.tags is not None:
            self._put_tags(self.operations.tags, subject)
        remote_state = self.existing(subject)
        self._require_as_wanted(subject, remote_state)
        return self._outputs(subject.wanted, subject.wanted, remote_state)

    def _require_as_wanted(self, subject: Subject, remote_state: Properties) -> None:
        wrong = sorted(
            name
            for name, value in subject.wanted.items()
            if name in remote_state
            and name != "tags"
            and not equivalent(self.token, name, remote_state[name], value)
        )
        if wrong:
            names = ", ".join(f"`{name}`" for name in wrong)
            raise ApiError(
                f"{self.token} `{subject.id}` did not become as wanted: {names}. "
                "The emulator did not take it, or the stand-in cannot change it in place. "
                "Fix: replace the resource (pulumi up --replace), or leave it out"
            )

    def _put(self, group: PropertyGroup, names: tuple[str, ...], subject: Subject) -> None:
        if group.clear is not None and all(subject.wanted.get(name) is None for name in names):
            self.call(group.clear, subject)
        elif (put := chosen(group.put, subject)) is not None:
            given = {**group.empty, **self.calls.params(put, subject, names)}
            self.request(put.operation, subject, given)

    def _put_tags(self, tagging: Tagging, subject: Subject) -> None:
        wanted, actual = all_tags(subject), self.tags(subject)
        name, source = tagging.resource
        resource = source(subject)
        changed = {key: value for key, value in wanted.items() if actual.get(key) != value}
        gone = [key for key in actual if key not in wanted]
        if tagging.untag is None:
            changed = wanted if changed or gone else {}
        if changed:
            self.request(tagging.tag, subject, {name: resource, **self.calls.tags(tagging.tag, changed)})
        if gone and tagging.untag is not None:
            members = self.calls.model.members_of(self.calls.model.input_of(tagging.untag))
            keys = next(member for member in members if member.lower() == "tagkeys")
            self.request(tagging.untag, subject, {name: resource, keys: gone})

    def _outputs(
        self, echoed: Mapping[str, Value], wanted: Mapping[str, Value], remote_state: Properties
    ) -> Properties:
        outputs = {name: value for name, value in echoed.items() if name != DEFAULTS}
        for name, value in remote_state.items():
            if name in wanted and equivalent(self.token, name, value, wanted[name]):
                outputs[name] = _filled(wanted[name], value)
            elif value is not None:
                outputs[name] = value
            else:
                outputs.pop(name, None)
        return outputs

    def _last_known(self, subject: Subject) -> Properties:
        try:
            return self._outputs({}, {}, self.look(subject) or {})
        except ApiError:
            return {}

    def _refuse_uncovered(self, inputs: Properties) -> None:
        uncovered = sorted(
            name
            for name, value in inputs.items()
            if name not in self.calls.covered and name != DEFAULTS and value not in (None, False, [], {}, "")
        )
        if uncovered:
            names = ", ".join(f"`{name}`" for name in uncovered)
            raise NotDeployableError(
                f"The stand-in AWS provider previews {names} of {self.token} but cannot "
                "deploy it: the resource would come out without it. Fix: leave it out on the emulator, or "
                "deploy with the real provider (--aws real)"
            )

    def _create(self, create: Call, subject: Subject) -> str:
        operations = self.operations
        given = self.calls.params(create, subject, self.calls.created)
        if operations.tags is not None:
            given |= self.calls.tags(create.operation, all_tags(subject))
        try:
            answer = self.request(create.operation, subject, given)
        except ApiError as error:
            if not operations.exists_already(error.code):
                raise
            identifier = operations.name({}, subject)
            if self._is_ours(replace(subject, id=identifier), by_name=True):
                return identifier
            raise self._already_exists(identifier) from None
        return operations.name(answer, subject)

    def _already_exists(self, identifier: str) -> ApiError:
        return ApiError(
            f"{self.token} `{identifier}` exists already and was not made by this program. "
            "Fix: choose another name, delete the other one, or import it",
            "AlreadyExists",
        )

    def _leftover(self, subject: Subject, known: set[str]) -> str:
        operations = self.operations
        if operations.find is None:
            return ""
        try:
            answer = self.call(operations.find, subject)
        except ApiError as error:
            if not operations.is_missing(error.code):
                raise
            return ""
        for identifier in cast("list[str]", (answer or {}).get("ids") or []):
            candidate = replace(subject, id=identifier)
            if identifier not in known and self._is_ours(candidate, by_name=operations.must_be_new):
                return identifier
            if operations.must_be_new:
                raise self._already_exists(identifier)
        return ""

    def _is_ours(self, subject: Subject, *, by_name: bool) -> bool:
        """Return whether an interrupted run of this program made a resource, found by its own name or not."""
        operations = self.operations
        remote_state = self.look(subject)
        if remote_state is None:
            return False
        actual = self.tags(subject) if operations.tags is not None else {}
        if actual or (operations.tags is not None and not by_name):
            return actual.get(MARKER) == subject.marker
        # Without tags there is no marker, and some get theirs after their creation (buckets; on ministack 1.4
        # alarms too). What has the name and is as wanted already can be taken for ours.
        return all(
            equivalent(self.token, name, remote_state.get(name), value)
            for name, value in subject.wanted.items()
            if name in remote_state and name not in {"tags", "tagsAll"}
        )


def all_tags(subject: Subject) -> dict[str, str]:
    """Return the tags that a resource is to have: the program's, the provider's and the marker."""
    return {**tag_texts(subject.wanted.get("tagsAll")), MARKER: subject.marker}


def _filled(wanted: Value, remote_state: Value) -> Value:
    """Return the program's form of a value, with what AWS has filled in inside its objects."""
    if isinstance(wanted, dict) and isinstance(remote_state, dict):
        filled = {
            name: _filled(value, remote_state.get(name)) for name, value in wanted.items() if name != DEFAULTS
        }
        return {**{name: value for name, value in remote_state.items() if value is not None}, **filled}
    return wanted
