"""The engine's event log (one JSON object a line), read into what the gate needs of it.

Format: `EngineEvent` of github.com/pulumi/pulumi/sdk/v3/go/common/apitype/events.go. The Automation API's
own `EngineEvent` drops a policy's severity and the summaries that prove that policies ran.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from tapgate.json_access import SIGNATURE, integer, mapping, sequence, text, texts, uncoloured

if TYPE_CHECKING:
    from pathlib import Path

_MOST: Final = 60
_NOTHING: Final = object()


_LATE_ANSWER: Final = re.compile(r"Detected that .+ exited prematurely\. ")


@dataclass(frozen=True, slots=True)
class Remediation:
    """A change that a policy made before the resource was evaluated.

    Attributes:
        changes: each changed property with its new and its old value.
    """

    pack: str
    policy: str
    urn: str
    changes: tuple[str, ...]


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    """Return what differs between two property trees; a secret is only said to be one."""
    changed = tuple(_changes("", before, after))
    return changed or ("something that is not shown",)


def _changes(path: str, before: object, after: object) -> Iterator[str]:
    if before == after:
        return
    listed = all(isinstance(one, list) for one in (after, before))
    if isinstance(after, Mapping):
        yield from _within(path, mapping(before), mapping(cast("object", after)))
    elif listed:
        items, earlier = sequence(after), sequence(before)
        for index, item in enumerate(items):
            was = earlier[index] if index < len(earlier) else _NOTHING
            yield from _changes(f"{path}[{index}]", was, item)
    else:
        yield f"{path} is now {_shown(after)} (was {_shown(before)})"


def _within(path: str, before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    if SIGNATURE in after:
        yield f"{path} is now a secret value"
        return
    for name in (*after, *(name for name in before if name not in after)):
        inner = f"{path}.{name}" if path else name
        yield from _changes(inner, before.get(name, _NOTHING), after.get(name, _NOTHING))


def _shown(value: object) -> str:
    if value is _NOTHING or value is None:
        return "not set"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


# Operations on a resource that the program declares: the engine has packs analyze each of them.
DECLARED: Final = frozenset({"create", "same", "update", "replace", "create-replacement", "import"})

_LOOKED_UP: Final = frozenset({"read", "read-replacement"})

# Operations that change something in the cloud or in the stack's state.
_CHANGES: Final = frozenset(
    {"create", "update", "delete", "create-replacement", "delete-replaced", "import", "import-replacement"}
)


@dataclass(frozen=True, slots=True)
class PolicyEvent:
    """One policy's finding, as the engine tells it."""

    urn: str
    message: str
    policy: str
    pack: str
    level: str
    severity: str


@dataclass(frozen=True, slots=True)
class PolicySummary:
    """Which policies of a pack passed and failed on one resource, or (urn empty) on the stack."""

    urn: str
    pack: str
    passed: tuple[str, ...]
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A message of engine, program, provider or pack; severity is info, info#err, warning or error."""

    urn: str
    severity: str
    message: str


@dataclass(slots=True)
class EventLog:
    """What one run of the engine said.

    Attributes:
        offered: resource policies that are enabled, by pack (from the summaries of remediation).
        diagnostics: messages, debug ones left out.
        declared: type token of each resource that the program declares, by URN.
        looked_up: type token of each resource that the program only looks up (`get`), by URN; empty for
            what a component that stands in would make.
        applied: each operation that was carried out and not only planned, by kind.
        changed: URNs of what was made or changed thereby, other than the stack itself and providers.
        coverage: by pack and URN what looked at a resource, where the pack tells: `control`, `tags`, `none`.
        packs: version of each loaded pack, by the key `name|local|path` or `name`.
        result: `succeeded`, `failed`, `canceled`, or empty when the engine did not come that far.
        truncated: the log ends in the middle of a line (the engine was killed).
    """

    findings: list[PolicyEvent] = field(default_factory=list[PolicyEvent])
    analyzed: list[PolicySummary] = field(default_factory=list[PolicySummary])
    stack_analyzed: list[PolicySummary] = field(default_factory=list[PolicySummary])
    offered: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    remediated: list[Remediation] = field(default_factory=list[Remediation])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    declared: dict[str, str] = field(default_factory=dict[str, str])
    looked_up: dict[str, str] = field(default_factory=dict[str, str])
    providers: set[str] = field(default_factory=set[str])
    applied: list[str] = field(default_factory=list[str])
    changed: list[str] = field(default_factory=list[str])
    coverage: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    packs: dict[str, str] = field(default_factory=dict[str, str])
    changes: dict[str, int] = field(default_factory=dict[str, int])
    result: str = ""
    truncated: bool = False

    def errors(self) -> list[Diagnostic]:
        """Return the diagnostics that say that something failed, other than the closing `preview failed`.

        A plug-in that does not acknowledge in time that the run has ended is none: the engine says that it
        "exited prematurely" (Plugin.Close in pkg/resource/plugin). Where one ends earlier, calls to it fail.
        """
        closing = {"preview failed", "update failed"}
        return [
            one
            for one in self.diagnostics
            if one.severity == "error"
            and one.message.strip() not in closing
            and not (not one.urn and _LATE_ANSWER.match(one.message.strip()))
        ]


def read_events(lines: Iterable[str]) -> EventLog:
    """Read an event log; what is not an event that the gate knows is passed over."""
    log = EventLog()
    for line in lines:
        try:
            event = mapping(json.loads(line))
        except ValueError:
            log.truncated = True
            continue
        for name, take in _READERS.items():
            if name in event:
                take(log, mapping(event[name]))
    return log


def _finding(log: EventLog, body: Mapping[str, object]) -> None:
    log.findings.append(
        PolicyEvent(
            urn=text(body.get("resourceUrn")),
            message=uncoloured(text(body.get("message"))),
            policy=text(body.get("policyName")),
            pack=text(body.get("policyPackName")),
            level=text(body.get("enforcementLevel")),
            severity=text(body.get("severity")),
        )
    )


def _summary(body: Mapping[str, object]) -> PolicySummary:
    return PolicySummary(
        urn=text(body.get("resourceUrn")),
        pack=text(body.get("policyPackName")),
        passed=texts(body.get("passed")),
        failed=texts(body.get("failed")),
    )


def _offered(log: EventLog, body: Mapping[str, object]) -> None:
    summary = _summary(body)
    log.offered.setdefault(summary.pack, set()).update(summary.passed, summary.failed)


def _remediated(log: EventLog, body: Mapping[str, object]) -> None:
    log.remediated.append(
        Remediation(
            pack=text(body.get("policyPackName")),
            policy=text(body.get("policyName")),
            urn=text(body.get("resourceUrn")),
            changes=changes(mapping(body.get("before")), mapping(body.get("after"))),
        )
    )


def _diagnostic(log: EventLog, body: Mapping[str, object]) -> None:
    severity = text(body.get("severity"))
    if severity == "debug" or body.get("ephemeral") is True:
        return
    message = uncoloured(text(body.get("message")))
    log.diagnostics.append(Diagnostic(urn=text(body.get("urn")), severity=severity, message=message))


def _step(log: EventLog, body: Mapping[str, object]) -> None:
    step = mapping(body.get("metadata"))
    token = text(step.get("type"))
    if token.startswith(_PROVIDER_PREFIX):
        log.providers.add(token.removeprefix(_PROVIDER_PREFIX))
    if text(step.get("op")) in DECLARED:
        log.declared[text(step.get("urn"))] = token
    if text(step.get("op")) in _LOOKED_UP:
        log.looked_up[text(step.get("urn"))] = token
    # Of a component nothing more is said until it registers its outputs, which it may never come to.
    new = mapping(step.get("new"))
    if new and body.get("planning") is not True and new.get("custom") is not True:
        _change(log, step)


def _outputs(log: EventLog, body: Mapping[str, object]) -> None:
    step = mapping(body.get("metadata"))
    if body.get("planning") is not True and text(step.get("op")) in _CHANGES:
        log.applied.append(text(step.get("op")))
        _change(log, step)


def _change(log: EventLog, step: Mapping[str, object]) -> None:
    inner = text(step.get("type")).startswith((_PROVIDER_PREFIX, _ROOT))
    if text(step.get("op")) in _CHANGES and not inner:
        log.changed.append(text(step.get("urn")))


def _closing(log: EventLog, body: Mapping[str, object]) -> None:
    log.result = text(body.get("result"))
    log.packs = {name: text(version) for name, version in mapping(body.get("PolicyPacks")).items()}
    log.changes = {op: integer(count) for op, count in mapping(body.get("resourceChanges")).items()}


_PROVIDER_PREFIX: Final = "pulumi:providers:"
_ROOT: Final = "pulumi:pulumi:Stack"
_READERS: Final[Mapping[str, Callable[[EventLog, Mapping[str, object]], None]]] = {
    "policyEvent": _finding,
    "policyAnalyzeSummaryEvent": lambda log, body: log.analyzed.append(_summary(body)),
    "policyAnalyzeStackSummaryEvent": lambda log, body: log.stack_analyzed.append(_summary(body)),
    "policyRemediateSummaryEvent": _offered,
    "policyRemediationEvent": _remediated,
    "diagnosticEvent": _diagnostic,
    "resourcePreEvent": _step,
    "resOutputsEvent": _outputs,
    "summaryEvent": _closing,
}


def read_log(path: Path) -> EventLog:
    """Read an event log; the engine writes none when it fails very early."""
    if not path.is_file():
        return EventLog()
    with path.open(encoding="utf-8", errors="replace") as lines:
        return read_events(lines)
