"""The life of one deployed resource: created or adopted, made as wanted, read, deleted.

Creating, updating and repairing are one thing here: see that the resource is there, read it, and put
every facet that is not as the program wants it. So a run that follows an interrupted one ends where that
one would have ended.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from local.aws_provider.deploy import emptying, tags
from local.aws_provider.differ import equivalent
from local.aws_provider.failures import ApiError, NotDeployableError, PartlyCreatedError
from local.aws_provider.inputs import DEFAULTS
from local.aws_provider.operations import Call, Subject
from local.aws_provider.settings import ACCOUNT
from local.aws_provider.types import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.aws_provider.deploy.aws import Api
    from local.aws_provider.operations import Answer, Choice, Facet, Operations, Reader
    from local.aws_provider.settings import Settings
    from local.aws_provider.values import Properties, Value

_ACTIVE_SECONDS = 60.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Deploys resources of one type.

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

    def create(self, urn: str, inputs: Properties, known: set[str]) -> tuple[str, Properties]:
        """Create a resource, or adopt what an interrupted run of this program has created.

        Args:
            urn: Its name in the program.
            inputs: Its checked inputs.
            known: Ids that the program's state holds: none of them is adopted.

        Returns:
            Its id and outputs.

        Raises:
            ApiError: AWS refused to create it.
            PartlyCreatedError: AWS created it, but then refused something of it.
            NotDeployableError: The stand-in cannot deploy it.
        """
        operations = self.operations
        self._refuse_uncovered(inputs)
        subject = self._subject("", inputs, urn)
        if operations.create is None:
            subject = replace(subject, id=operations.name({}, subject))
        else:
            subject = replace(
                subject, id=self._leftover(subject, known) or self._create(operations.create, subject)
            )
        try:
            return subject.id, self._make_as_wanted(subject, created=operations.create is None)
        except ApiError as error:
            raise PartlyCreatedError(str(error), subject.id, self._last_known(subject)) from None

    def update(self, identifier: str, urn: str, inputs: Properties) -> Properties:
        """Make a resource as wanted.

        Raises:
            ApiError: AWS refused something, or the resource is gone.
            NotDeployableError: The stand-in cannot deploy it.
        """
        self._refuse_uncovered(inputs)
        return self._make_as_wanted(self._subject(identifier, inputs, urn), created=False)

    def imported_id(self, given: str) -> str:
        """Make a resource's id of what a user gives to an import."""
        import_id = self.operations.import_id
        return given if import_id is None else import_id(given)

    def read(self, identifier: str, state: Properties) -> Properties | None:
        """Read a resource.

        Args:
            identifier: Its id, or what a user gives to an import.
            state: Its last known outputs; empty for an import.

        Returns:
            Its outputs; None when it does not exist.

        Raises:
            ApiError: AWS refused to tell.
        """
        operations = self.operations
        known = dict(state)
        if not known and operations.from_id is not None:
            known, identifier = operations.from_id(identifier), self.imported_id(identifier)
        live = self._live(self._subject(identifier, known))
        if live is None:
            return None
        kept = {name: value for name, value in known.items() if name not in live}
        return self._outputs(kept, {**known, **kept}, live)

    def delete(self, identifier: str, state: Properties) -> None:
        """Delete a resource; one that is gone already is deleted.

        Raises:
            ApiError: AWS refused.
        """
        operations = self.operations
        subject = self._subject(identifier, state)
        try:
            if operations.emptied:
                emptying.FUNCTIONS[operations.emptied](self._caller(subject), subject)
            for choice in operations.delete:
                call = _chosen(choice, subject)
                if call is not None:
                    self._call(call, subject)
        except ApiError as error:
            if error.code not in operations.missing:
                raise

    def _create(self, create: Call, subject: Subject) -> str:
        operations = self.operations
        params = _params(create, subject)
        if operations.create_tags and operations.tags is not None:
            params[operations.create_tags] = tags.to_api(operations.tags, self._all_tags(subject))
        try:
            answer = self.api.call(
                create.service or operations.service, subject.region, create.operation, params
            )
        except ApiError as error:
            if error.code not in operations.taken:
                raise
            identifier = operations.name({}, subject)
            if self._is_ours(replace(subject, id=identifier)):
                return identifier
            raise self._taken(identifier) from None
        return operations.name(answer, subject)

    def _taken(self, identifier: str) -> ApiError:
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
            answer = self._call(operations.find, subject)
        except ApiError as error:
            if error.code not in operations.missing:
                raise
            return ""
        for identifier in _identifiers(answer or {}):
            if identifier not in known and self._is_ours(replace(subject, id=identifier)):
                return identifier
            if operations.exclusive:
                raise self._taken(identifier)
        return ""

    def _is_ours(self, subject: Subject) -> bool:
        operations = self.operations
        live = self._live(subject)
        if live is None:
            return False
        if operations.tags is not None:
            return self._tags(subject).get(tags.MARKER) == subject.marker
        # Without tags there is no marker; what is as wanted already can be taken for ours.
        return all(
            equivalent(self.token, name, live.get(name), value)
            for name, value in subject.wanted.items()
            if name in live
        )

    def _make_as_wanted(self, subject: Subject, *, created: bool) -> Properties:
        operations = self.operations
        live: Properties = {} if created else self._existing(subject)
        for facet in operations.facets:
            if created or not self._as_wanted(facet, subject, live):
                self._put(facet, subject)
        if operations.tags is not None:
            self._put_tags(subject)
        live = self._existing(subject)
        self._require_as_wanted(subject, live)
        return self._outputs(subject.wanted, subject.wanted, live)

    def _require_as_wanted(self, subject: Subject, live: Properties) -> None:
        wrong = sorted(
            name
            for name, value in subject.wanted.items()
            if name in live and name != "tags" and not equivalent(self.token, name, live[name], value)
        )
        if wrong:
            names = ", ".join(f"`{name}`" for name in wrong)
            msg = (
                f"{self.token} `{subject.id}` did not become as wanted: {names}. The emulator did not "
                "take it, or the "
                "stand-in cannot change it in place. Fix: replace the resource (pulumi up --replace), "
                "or leave it out"
            )
            raise ApiError(msg)

    def _existing(self, subject: Subject) -> Properties:
        deadline = time.monotonic() + _ACTIVE_SECONDS
        while True:
            live = self._live(subject)
            if live is None:
                msg = (
                    f"{self.token} `{subject.id}` does not exist any more: somebody deleted it, or the "
                    "emulator was "
                    "started anew. Fix: pulumi refresh, then pulumi up"
                )
                raise ApiError(msg, "NotFound")
            if _PENDING not in live or time.monotonic() > deadline:
                live.pop(_PENDING, None)
                return live
            time.sleep(_POLL_SECONDS)

    def _as_wanted(self, facet: Facet, subject: Subject, live: Properties) -> bool:
        return all(
            equivalent(self.token, name, live.get(name), subject.wanted.get(name))
            for name in facet.properties
        )

    def _put(self, facet: Facet, subject: Subject) -> None:
        nothing = all(subject.wanted.get(name) is None for name in facet.properties)
        call = facet.clear if nothing and facet.clear is not None else _chosen(facet.put, subject)
        if call is not None:
            self._call(call, subject)

    def _live(self, subject: Subject) -> Properties | None:
        operations = self.operations
        try:
            answer = self._call(operations.read, subject)
            if answer is None:
                return None
            live = _found(operations.found, answer, subject)
            for facet in operations.facets:
                live.update(self._facet(facet, answer, subject))
        except ApiError as error:
            if error.code in operations.missing:
                return None
            raise
        for path in operations.untold:
            _take_as_wanted(live, subject.wanted, path)
        if operations.tags is not None:
            live.update(tags.split(self._tags(subject), subject.wanted, self.settings.default_tags))
        if operations.active is not None and not operations.active(answer):
            live[_PENDING] = True
        return live

    def _facet(self, facet: Facet, answer: Answer, subject: Subject) -> Properties:
        if facet.read is None:
            return _found(facet.found, answer, subject)
        try:
            own = self._call(facet.read, subject)
        except ApiError as error:
            if error.code not in facet.absent:
                raise
            own = None
        return _found(facet.found, own, subject) if own is not None else dict.fromkeys(facet.found)

    def _tags(self, subject: Subject) -> dict[str, str]:
        tagging = self.operations.tags
        if tagging is None:
            return {}
        name, source = tagging.resource
        try:
            answer = self._call(Call(tagging.read, {name: source}), subject)
        except ApiError as error:
            if error.code not in tagging.absent:
                raise
            return {}
        return tags.from_api(tagging, answer or {})

    def _put_tags(self, subject: Subject) -> None:
        tagging = self.operations.tags
        if tagging is None:
            return
        wanted, found = self._all_tags(subject), self._tags(subject)
        name, source = tagging.resource
        resource = source(subject)
        changed = {key: value for key, value in wanted.items() if found.get(key) != value}
        gone = [key for key in found if key not in wanted]
        if tagging.untag is None:
            changed = wanted if changed or gone else {}
        if changed:
            self._plain(
                tagging.tag, subject, {name: resource, tagging.tags_param: tags.to_api(tagging, changed)}
            )
        if gone and tagging.untag is not None:
            self._plain(tagging.untag, subject, {name: resource, tagging.keys_param: gone})

    def _all_tags(self, subject: Subject) -> dict[str, str]:
        return {**tags.texts(subject.wanted.get("tagsAll")), tags.MARKER: subject.marker}

    def _outputs(
        self, echoed: Mapping[str, Value], wanted: Mapping[str, Value], live: Properties
    ) -> Properties:
        outputs = {name: value for name, value in echoed.items() if name != DEFAULTS}
        for name, value in live.items():
            if name in wanted and equivalent(self.token, name, value, wanted[name]):
                outputs[name] = _filled(wanted[name], value)
            elif value is not None:
                outputs[name] = value
            else:
                outputs.pop(name, None)
        return outputs

    def _last_known(self, subject: Subject) -> Properties:
        try:
            return self._outputs({}, {}, self._live(subject) or {})
        except ApiError:
            return {}

    def _refuse_uncovered(self, inputs: Properties) -> None:
        uncovered = sorted(
            name
            for name, value in inputs.items()
            if name not in self.operations.properties()
            and name != DEFAULTS
            and value not in (None, False, [], {}, "")
        )
        if uncovered:
            names = ", ".join(f"`{name}`" for name in uncovered)
            msg = (
                f"The stand-in AWS provider previews {names} of {self.token} but cannot deploy it: the "
                "resource would "
                "come out without it. Fix: leave it out on the emulator, or deploy with the real "
                "provider (--aws real)"
            )
            raise NotDeployableError(msg)

    def _subject(self, identifier: str, wanted: Properties, marker: str = "") -> Subject:
        region = wanted.get("region")
        return Subject(
            id=identifier,
            wanted=wanted,
            region=region if isinstance(region, str) else self.settings.region,
            account=ACCOUNT,
            marker=marker,
        )

    def _call(self, call: Call, subject: Subject) -> Answer | None:
        service = call.service or self.operations.service
        answer = self.api.call(service, subject.region, call.operation, _params(call, subject))
        return call.pick(answer, subject) if call.pick is not None else answer

    def _plain(self, operation: str, subject: Subject, params: dict[str, object]) -> Answer:
        return self.api.call(self.operations.service, subject.region, operation, params)

    def _caller(self, subject: Subject) -> Callable[[str, dict[str, object]], Answer]:
        return lambda operation, params: self._plain(operation, subject, params)


_PENDING = "__pending"


def _params(call: Call, subject: Subject) -> dict[str, object]:
    found = {name: source(subject) for name, source in call.params.items()}
    return {name: value for name, value in found.items() if value is not None}


def _chosen(choice: Choice, subject: Subject) -> Call | None:
    return choice if isinstance(choice, Call) else choice(subject)


def _take_as_wanted(live: Properties, wanted: Mapping[str, Value], path: str) -> None:
    name, _, inner = path.partition(".")
    of_live, of_wanted = live.get(name), wanted.get(name)
    if inner:
        if isinstance(of_live, dict) and isinstance(of_wanted, dict):
            _take_as_wanted(of_live, of_wanted, inner)
    elif of_live is None and of_wanted is not None:
        live[name] = of_wanted


def _found(readers: Mapping[str, Reader], answer: Answer, subject: Subject) -> Properties:
    return {name: reader(answer, subject) for name, reader in readers.items()}


def _filled(wanted: Value, live: Value) -> Value:
    """Give the program's form of a value, with what AWS has filled in inside its objects."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        filled = {name: _filled(value, live.get(name)) for name, value in wanted.items() if name != DEFAULTS}
        return {**{name: value for name, value in live.items() if value is not None}, **filled}
    return wanted


def _identifiers(answer: Answer) -> list[str]:
    found = answer.get("ids")
    return [str(item) for item in found] if isinstance(found, list) else []  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
