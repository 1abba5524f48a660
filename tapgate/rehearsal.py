"""Rehearse a stack, evaluate the result in fresh packs, and join that with what the preview said."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, cast

from tapgate.analyzer.deployment import (
    MARK,
    MARKED_NUMBER,
    SECRET,
    UNKNOWN,
    Deployment,
    Resource,
    begin,
    read_deployment,
    root_of,
    without_marks,
)
from tapgate.analyzer.direct import called_apart, offers_itself, request_for, take
from tapgate.assemble import managed
from tapgate.engine import Engine, Limits, Running, require_file
from tapgate.events import EventLog, read_log
from tapgate.findings import CouldNotRunError, Finding, Question, Report, sorted_findings
from tapgate.json_access import SIGNATURE, mapping, rebuilt, text
from tapgate.project import Project, read_yaml
from tapgate.sources import urn_name

if TYPE_CHECKING:
    from pathlib import Path

    from tapgate.packs import RequestedPack
    from tapgate.sandbox import Sandbox
    from tapgate.stacks import Stack

_REPLACED: Final = frozenset({"replace", "create-replacement", "delete-replaced"})
_LEAVES: Final = _REPLACED | {"delete"}
_BLINDED: Final = "[secret]"
"""How the engine's preview document shows a secret."""


def retained(document: str) -> tuple[Resource, ...]:
    """Return the resources that a preview would forget without removing them.

    So it does with one that has `deletedWith`, where that one leaves too, whatever AWS makes of it, and with
    one that it made and that the program only looks up from now on (`get`).

    Raises:
        CouldNotRunError: the preview's document is none, so that no one knows what it would forget.
    """
    try:
        steps = [*map(mapping, cast("list[object]", json.loads(document)["steps"]))]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise CouldNotRunError(
            "The engine's preview document cannot be read.",
            where="pulumi preview --json",
            why=f"it says what leaves the program and stays in AWS ({error!r}).",
            fix="leave out PULUMI_… variables that change what the engine writes, and run it again.",
        ) from None
    gone = {text(step.get("urn")) for step in steps if text(step.get("op")) in _LEAVES} - {""}
    kept: dict[str, Resource] = {}
    for step in steps:
        state, operation = mapping(step.get("oldState")), text(step.get("op"))
        forgotten = state.get("retainOnDelete") is True or text(state.get("deletedWith")) in gone
        looked_up = operation == "read" and state.get("custom") is True and state.get("external") is not True
        if looked_up or (operation in _LEAVES and forgotten):
            # One that is replaced has its successor's URN.
            urn = f"{text(step.get('urn'))}{' (replaced)' if operation in _REPLACED else ''}"
            kept[urn] = Resource(urn, text(state.get("type")), mapping(_unblinded(state)))
    return tuple(kept.values())


def marked_as_unseen(deployment: Deployment, packages: Collection[str]) -> Deployment:
    """Mark what is no component and yet is made by the project's own packages, whose code makes anything."""
    return replace(
        deployment,
        resources=tuple(
            replace(one, body={**one.body, "outputs": {**one.outputs, _UNSEEN: _OWN_CODE}})
            if one.body.get("custom") is True and one.type.partition(":")[0] in packages
            else one
            for one in deployment.resources
        ),
    )


def with_retained(deployment: Deployment, document: str) -> tuple[Deployment, tuple[str, ...]]:
    """Add to a state what will be there besides, and say so.

    Returns:
        The state with the resources that stay, and a note for each.
    """
    stays = {one.urn: one for one in retained(document)}
    notes = tuple(
        f"{urn_name(one.urn)} ({one.type}) leaves the program and stays in AWS "
        f"({next(filter(one.body.get, ('retainOnDelete', 'deletedWith')), 'it is only looked up')}): it is "
        "evaluated with what the program still declares"
        for one in stays.values()
    )
    # What is only looked up stands in the state under the URN of what stays.
    declared = (one for one in deployment.resources if one.urn not in stays)
    return replace(deployment, resources=(*declared, *stays.values())), notes


def _unblinded(value: object) -> object:
    """Return a value in which what the engine has blinded is a closed secret, not a text."""
    if value == _BLINDED:
        return {SIGNATURE: SECRET}
    return rebuilt(value, _unblinded)


_UNSEEN: Final = "tapgateUnseen"
"""The property in which packs are told why no one can look into a resource."""
_OWN_CODE: Final = "Code of the project makes it, which can make anything."
_CIPHERTEXT = b'"ciphertext"'


class Theatre(Protocol):
    """Sets the stage: who knows the stand-ins."""

    def stage(
        self,
        folder: Path,
        project: str,
        stack: str,
        file: Path,
        project_file: Path,
        existing: Sequence[str] = (),
    ) -> Stage:
        """Prepare a backend with the stack, empty, and the environment around it."""
        ...

    def missed(self, messages: Iterable[str]) -> Sequence[str]:
        """Return what found nothing in a rehearsal, the last one last; as `existing` it finds something."""
        ...

    def keep(self, file: Path) -> None:
        """Keep for later runs what one in a sandbox could not."""
        ...


Stage: TypeAlias = "tuple[Mapping[str, str], Path, Path]"
"""Where a rehearsal takes place.

The environment of engine, program and plug-ins; the stack's config file as it can be used there; the file in
which the engine leaves the stack's state.
"""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A rehearsal that came to its end.

    Attributes:
        deployment: the state that it left, what no one can know before the deployment being unknown.
    """

    deployment: Deployment
    config: Mapping[str, object]
    seconds: float
    said: tuple[str, ...] = ()


class Rehearsal:
    """A rehearsal under way."""

    def __init__(
        self,
        project: Project,
        stack: Stack,
        stage: Stage,
        scratch: Path,
        limits: Limits,
        box: Sandbox | None = None,
    ) -> None:
        variables, config, self._state = stage
        self._project = project
        self._stack = stack
        self.scratch = scratch
        self._engine = Engine(project.folder, scratch, variables=variables, box=box)
        # Read before the program could write to it.
        self._config = mapping(read_yaml(config, "stack's config file").get("config"))
        self._events = scratch / "rehearsal.events"
        self.said: tuple[str, ...] = ()
        self._limits = limits
        name = stack.name.rsplit("/", 1)[-1]
        self._stack_options = ("--stack", name, "--config-file", str(config))
        self.running: Running = self._engine.begin(
            *("up", *self._stack_options, "--yes", "--skip-preview", "--suppress-outputs"),
            *("--event-log", str(self._events)),
            name="rehearsal",
            limits=limits,
        )

    def finish(self) -> Rehearsed:
        """Wait for its end.

        Raises:
            CouldNotRunError: it did not come to its end.
        """
        run = self._engine.wait(self.running)
        log = read_log(self._events)
        self.said = () if run.interrupted else tuple(one.message for one in log.diagnostics)
        if run.interrupted or run.code != 0 or log.errors():
            where = f"project {self._project.name}, stack {self._stack.name}, in the rehearsal"
            from tapgate.diagnose import could_not_run  # noqa: PLC0415 - only of a run that failed

            raise could_not_run(log, run.errors, where=where, interrupted=run.interrupted, packs=False)
        require_file(self._state, self.scratch)
        body = self._state.read_bytes()
        if _CIPHERTEXT in body:
            body = self._opened()
        deployment = read_deployment(body, "the state of the rehearsal")
        if not deployment.resources:
            deployment = replace(deployment, project=self._project.name, stack=self._stack_options[1])
        deployment = marked_as_unseen(without_marks(deployment), self._project.own_packages)
        return Rehearsed(deployment, self._config, run.seconds, self.said)

    def _opened(self) -> bytes:
        """Return the state with its secrets open; they are under the stand-in's passphrase."""
        options = (*self._stack_options[:2], "--show-secrets")
        run = self._engine.run("stack", "export", *options, name="rehearsed", limits=self._limits)
        if run.code != 0:
            raise CouldNotRunError(
                "The state of the rehearsal cannot be read.",
                where=f"project {self._project.name}, stack {self._stack.name}",
                why="its secrets do not open, so no policy can evaluate them.",
                fix="run it again; if that does not help, report a bug of the gate.",
                details=tuple(run.errors.splitlines()[-5:]),
            )
        return run.output.read_bytes()


def evaluate(
    deployment: Deployment, packs: Sequence[RequestedPack], config: Mapping[str, object]
) -> EventLog:
    """Start the packs, ask every policy about a state, and end them.

    Raises:
        CouldNotRunError: a pack does not start, or a policy raised.
    """
    log = begin(deployment)
    for pack in filter(offers_itself, packs):
        answer = called_apart(pack, request_for(deployment, pack, config))
        take(log, pack.folder, answer, root_of(deployment))
    others = [pack for pack in packs if not offers_itself(pack)]
    if others:
        from tapgate.analyzer import running  # noqa: PLC0415 - few packs need the protocol

        with ExitStack() as stack:
            started = (stack.enter_context(running.RunningPack(pack)) for pack in others)
            running.evaluate(log, deployment, [*started], config)
    return managed(log)


def settled(
    report: Report,
    later: Report,
    known: Collection[str],
    remediated: Collection[Question] = (),
    stood_in: Deployment | None = None,
) -> Report:
    """Return a report that holds what both say.

    What is undecided in the first is decided by what the other one says of the same policy and resource, and
    stays undecided where that has not seen the resource. Everything else blocks as it would alone.

    Args:
        report: the first, of whose values some were unknown.
        later: the second, whose values are known, but for what no one can know.
        known: URNs of the resources that the second has seen.
        remediated: what policies remediated for the first and not for the second. Where the first finds
            nothing after that, the second's findings are about what will not be deployed.
        stood_in: the rehearsal's state, where both have the same stand-ins, which a hidden value may be.

    Returns:
        The second, with what it has not settled, and with the changes and notes of the first.
    """
    left = _by_question(report.findings)
    findings = [one for one in later.findings if _question(one) not in remediated or _question(one) in left]
    return replace(
        later,
        findings=sorted_findings([*findings, *unsettled(report.findings, later, known, stood_in)]),
        notes=tuple(dict.fromkeys((*report.notes, *later.notes))),
        changes=report.changes,
    )


def unsettled(
    findings: Iterable[Finding], later: Report, known: Collection[str], stood_in: Deployment | None = None
) -> list[Finding]:
    """Return what another report leaves of some findings; see `settled`."""
    said = _by_question(later.findings)
    return [one for one in findings if not _is_settled(one, said[_question(one)], known, stood_in)]


def _is_settled(
    one: Finding, said: Collection[Finding], known: Collection[str], stood_in: Deployment | None
) -> bool:
    # Of a stand-in's answer a preview knows no better than that it is a text or a number.
    stands_in = MARK in one.found.lower() or str(MARKED_NUMBER) in one.found
    if one.found == _BLINDED and stood_in is not None:
        top = one.property_path.partition(".")[0].partition("[")[0]
        stands_in = any(
            made.urn == one.urn and UNKNOWN in json.dumps(made.inputs.get(top)) for made in stood_in.resources
        )
    if (one.verdict == "undecided" or stands_in) and one.urn in known:
        return True
    # The same finding may be worded otherwise where a value is known by now.
    return any((one.verdict, one.property_path) == (other.verdict, other.property_path) for other in said)


def _by_question(findings: Iterable[Finding]) -> Mapping[Question, list[Finding]]:
    grouped: dict[Question, list[Finding]] = defaultdict(list)
    for one in findings:
        grouped[_question(one)].append(one)
    return grouped


def _question(one: Finding) -> Question:
    return one.pack, one.policy, one.urn
