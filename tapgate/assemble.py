"""Builds the report of a run out of the engine's events, which have to prove that the packs were evaluated.

The engine ends with success as well when a pack has no policies, or has all of them turned off. Such a run
must not be told from a pass by what is absent; it is told by what has to be there.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from tapgate.events import Diagnostic, EventLog, PolicyEvent
from tapgate.findings import (
    CouldNotRunError,
    Finding,
    Guardrails,
    Location,
    Pack,
    PolicyTally,
    Report,
    parse,
    sorted_findings,
)
from tapgate.json_access import sanitized_lines
from tapgate.sources import urn_name, urn_type

if TYPE_CHECKING:
    from tapgate.packs import RequestedPack

_CLOSENESS: Final = ("control", "tags", "none")
_MOST_TYPES: Final = 4
_STACK_REFERENCE: Final = "pulumi:pulumi:StackReference"


def managed(log: EventLog) -> EventLog:
    """Return a log without what it says of resources that the stack only looks up: it does not make them.

    Packs see them, as what other resources refer to; a note names them.
    """
    others = log.looked_up.keys() - log.declared.keys()
    if not others:
        return log
    findings = [one for one in log.findings if one.urn not in others]
    failing = {(one.pack, one.policy) for one in findings}
    left = [
        replace(
            one,
            failed=tuple(name for name in one.failed if (one.pack, name) in failing),
            passed=(*one.passed, *(name for name in one.failed if (one.pack, name) not in failing)),
        )
        for one in log.stack_analyzed
    ]
    names = sorted(
        f"{urn_name(urn)} ({log.looked_up[urn]})"
        for urn in others
        if log.looked_up[urn] not in {"", _STACK_REFERENCE}
    )
    note = f"not evaluated, as the program only looks them up: {'; '.join(names)}"
    return replace(
        log,
        findings=findings,
        analyzed=[one for one in log.analyzed if one.urn not in others],
        stack_analyzed=left,
        coverage={
            pack: {urn: what for urn, what in told.items() if urn not in others}
            for pack, told in log.coverage.items()
        },
        diagnostics=[*log.diagnostics, *([Diagnostic("", "warning", note)] if names else [])],
        looked_up={},
    )


def covered(log: EventLog) -> dict[str, str]:
    """Return what looked at each resource that a provider makes, of all packs the one that looked closest.

    Of a pack that does not tell, a resource policy that applies counts as a control.
    """
    closeness: dict[str, str] = {}
    for told in log.coverage.values():
        for urn, what in told.items():
            closeness[urn] = min(closeness.get(urn, what), what, key=_CLOSENESS.index)
    for one in log.analyzed:
        if one.pack not in log.coverage and not log.declared.get(one.urn, "").startswith("pulumi:"):
            looked = "control" if one.passed or one.failed else "none"
            closeness[one.urn] = min(closeness.get(one.urn, looked), looked, key=_CLOSENESS.index)
    return closeness


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: `1 stack`, `2,048 stacks`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def coverage_text(reports: Iterable[Report]) -> str:
    """Say how many resources a control looked at, and of which types the others are; empty if unknown."""
    urns_by: dict[str, list[str]] = {what: [] for what in _CLOSENESS}
    for report in reports:
        for urn, what in report.coverage.items():
            urns_by[what].append(urn)
    if not any(urns_by.values()):
        return ""
    parts = [f"{count(len(urns_by['control']), 'resource')} by a control"]
    for what, by in (("tags", "by tags alone"), ("none", "by no policy")):
        if urns_by[what]:
            types = sorted({urn_type(urn) for urn in urns_by[what]})
            more = [f"{len(types) - _MOST_TYPES} more types"] if len(types) > _MOST_TYPES else []
            parts.append(f"{len(urns_by[what]):,} {by} ({', '.join([*types[:_MOST_TYPES], *more])})")
    return ", ".join(parts)


_LONGEST_PATH = 75
_MOST_STEPS = 4
_NOT_EVALUATED = "nothing that was not evaluated may pass."
_REPORT = "run `pulumi preview` with the pack by hand; if that evaluates it, report a bug of the gate."


def loaded_packs(log: EventLog, requested: Sequence[RequestedPack] = ()) -> tuple[Pack, ...]:
    """Return the packs that the engine loaded, sorted by name."""
    configs = {str(pack.folder): pack.config_text for pack in requested}
    folders = {_abbreviated(str(pack.folder)): str(pack.folder) for pack in requested}
    packs: list[Pack] = []
    for key, version in log.packs.items():
        name, _, rest = key.partition("|")
        path = rest.partition("|")[2]
        folder = folders.get(path, path)
        packs.append(Pack(name=name, version=version, path=folder, config=configs.get(folder, "")))
    return tuple(sorted(packs, key=lambda pack: (pack.name, pack.path)))


def require_evaluated(log: EventLog, requested: Sequence[RequestedPack], *, allow_empty: bool) -> None:
    """Make sure that every pack asked for was loaded and asked about every resource and the stack.

    Raises:
        CouldNotRunError: the proof is not complete.
    """
    if log.truncated or log.result not in {"succeeded", "failed"}:
        raise _unproven("The engine's event log is incomplete.", "its last event is missing")
    _require_told_apart(requested)
    packs = loaded_packs(log, requested)
    paths = {pack.path for pack in packs}
    for pack in requested:
        if str(pack.folder) not in paths:
            raise _unproven("A policy pack was asked for and not loaded.", str(pack.folder))
    _require_asked(log, packs)
    if not allow_empty:
        _require_something(log, packs)


def _require_told_apart(requested: Sequence[RequestedPack]) -> None:
    folders = sorted({str(pack.folder) for pack in requested})
    for before, after in pairwise(sorted(folders, key=_abbreviated)):
        if _abbreviated(before) == _abbreviated(after):
            raise CouldNotRunError(
                "Two policy packs cannot be told apart.",
                where=f"{before} and {after}",
                why=f"the engine calls both {_abbreviated(after)}; nothing proves that both were evaluated.",
                fix="name one of them by a path of at most 75 characters, or run the gate once for each.",
            )


def _abbreviated(path: str) -> str:
    """Write a path as the engine's events do: abbreviateFilePath in pkg/engine/update.go of pulumi."""
    steps = path.split("/")
    if len(path.encode()) <= _LONGEST_PATH or len(steps) <= _MOST_STEPS:
        return path
    return "/".join([*steps[:2], "...", *steps[-2:]])


def _require_asked(log: EventLog, packs: Sequence[Pack]) -> None:
    of_stack = Counter(summary.pack for summary in log.stack_analyzed)
    of_resources = Counter((summary.pack, summary.urn) for summary in log.analyzed)
    for name, packs_of_it in Counter(pack.name for pack in packs).items():
        if of_stack[name] < packs_of_it:
            raise _unproven("A pack's stack policies were not evaluated.", f"pack {name}")
        missing = sorted(urn for urn in log.declared if of_resources[name, urn] < packs_of_it)
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise _unproven("A resource was not evaluated.", f"pack {name}, resource {missing[0]}{more}")


def _require_something(log: EventLog, packs: Sequence[Pack]) -> None:
    for pack in packs:
        told = log.coverage.get(pack.name)
        if told is not None:
            if "control" not in told.values():
                raise _nothing_looked_at(pack, told)
            continue
        summaries = [one for one in (*log.analyzed, *log.stack_analyzed) if one.pack == pack.name]
        if not any(one.passed or one.failed for one in summaries):
            raise CouldNotRunError(
                "No policy was evaluated.",
                where=f"pack {pack.name}, resources: {len(log.declared)}",
                why=f"the pack has no policy, or all are off, or none applies to anything; {_NOT_EVALUATED}",
                fix="check the pack's enforcement levels; if none is meant to apply here, add --allow-empty.",
            )


def _nothing_looked_at(pack: Pack, told: Mapping[str, str]) -> CouldNotRunError:
    tags = sum(what == "tags" for what in told.values())
    seen = f"resources: {len(told)}" + (f", evaluated on their tags alone: {tags}" if tags else "")
    return CouldNotRunError(
        "No control looked at any resource.",
        where=f"pack {pack.name}, {seen}",
        why=f"the stack has none that a control is about, or all controls are off; {_NOT_EVALUATED}",
        fix="check the project, the stack and the levels; if none is meant to apply, add --allow-empty.",
    )


def _unproven(what: str, where: str) -> CouldNotRunError:
    return CouldNotRunError(what, where=where, why=_NOT_EVALUATED, fix=_REPORT)


def guardrails_of(requested: Iterable[RequestedPack]) -> Guardrails | None:
    """Return the guardrails by which packs were evaluated: those that a team tightened before others."""
    known = [pack.guardrails for pack in requested if pack.guardrails is not None]
    return max(known, key=lambda one: bool(one.team), default=None)


_STANDS_IN: Final = re.compile(r"using \S+ from \$PATH at \S+/stand-ins-[0-9a-f]+/")
"""The gate's own providers, and its way to stacks of any backend."""
_FROM_PATH: Final = re.compile(r"^using (\S+) from \$PATH at .+$")
Locate = Callable[[str, str], Location | None]


def build_report(
    log: EventLog,
    *,
    project: str,
    stack: str,
    requested: Sequence[RequestedPack],
    locate: Locate,
    seconds: float,
    notes: Sequence[str] = (),
) -> Report:
    """Build the report."""
    return Report(
        project=project,
        stack=stack,
        packs=loaded_packs(log, requested),
        findings=sorted_findings([_finding(event, locate) for event in log.findings]),
        tallies=tuple(sorted(_tallies(log, requested), key=lambda one: (one.pack, one.policy))),
        resources=len({summary.urn for summary in log.analyzed}),
        notes=(*notes, *_log_notes(log), *sorted(_remediations(log))),
        changes=dict(sorted(log.changes.items())),
        seconds=seconds,
        coverage=dict(sorted(covered(log).items())),
        guardrails=guardrails_of(requested),
    )


def _finding(event: PolicyEvent, locate: Locate) -> Finding:
    said = {name: value for name, value in asdict(parse(event.message)).items() if name != "where"}
    return Finding(
        policy=event.policy,
        pack=event.pack,
        level=event.level,
        severity=event.severity,
        urn=event.urn,
        type=urn_type(event.urn),
        name=urn_name(event.urn),
        location=locate(event.urn, said["property_path"]),
        **said,
    )


def _tallies(log: EventLog, requested: Sequence[RequestedPack]) -> Iterator[PolicyTally]:
    asked: dict[str, set[str]] = defaultdict(set)
    passed: dict[tuple[str, str], set[str]] = defaultdict(set)
    failed: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in log.analyzed:
        asked[one.pack].add(one.urn)
        for policy in one.passed:
            passed[one.pack, policy].add(one.urn)
        for policy in one.failed:
            failed[one.pack, policy].add(one.urn)
    offered = {(pack, policy) for pack, policies in log.offered.items() for policy in policies}
    for pack, policy in {*passed, *failed, *offered}:
        no = failed[pack, policy]
        yes = passed[pack, policy] - no
        yield PolicyTally(policy, pack, "resource", len(yes), len(no), len(asked[pack] - yes - no))
    for one in log.stack_analyzed:
        for policy in one.passed:
            yield PolicyTally(policy, one.pack, "stack", 1, 0, 0)
        for policy in one.failed:
            yield PolicyTally(policy, one.pack, "stack", 0, 1, 0)
    names = {pack.path: pack.name for pack in loaded_packs(log, requested)}
    for pack in requested:
        for policy in sorted(pack.disabled - {"all"}):
            yield PolicyTally(policy, names.get(str(pack.folder), ""), "resource", 0, 0, 0, disabled=True)


def _remediations(log: EventLog) -> Iterator[str]:
    """Yield what policies remediated before they evaluated: whoever reads the program must know."""
    for one in log.remediated:
        where = f"{urn_name(one.urn)} ({urn_type(one.urn)})"
        yield f"{one.policy} remediated {where}: {'; '.join(one.changes)}; the program is as it was"


def _log_notes(log: EventLog) -> Iterator[str]:
    """Yield each warning once, on one line, in the order of the run."""
    seen: set[str] = set()
    for diagnostic in log.diagnostics:
        if diagnostic.severity != "warning" or _STANDS_IN.match(diagnostic.message):
            continue
        said = " ".join(sanitized_lines(diagnostic.message))
        note = _FROM_PATH.sub(r"\1 is the one on PATH, whatever version the program asks for", said)
        if note and note not in seen:
            seen.add(note)
            yield note
