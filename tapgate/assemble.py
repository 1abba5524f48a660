"""Builds the report of a run out of the engine's events."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from tapgate.evidence import loaded_packs
from tapgate.findings import Finding, Location, PolicyTally, Report, sorted_findings
from tapgate.message import parse
from tapgate.plain import plain_lines
from tapgate.sources import urn_name, urn_type

if TYPE_CHECKING:
    from tapgate.events import EventLog, PolicyEvent
    from tapgate.packs import RequestedPack

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
    """Build the report.

    Args:
        log: the engine's events.
        project: name of the project.
        stack: name of the stack.
        requested: the packs asked for (their config files say what is turned off).
        locate: finds a resource's and property's place in the program.
        seconds: wall time of the engine.
        notes: what else whoever reads the verdict must know.
    """
    return Report(
        project=project,
        stack=stack,
        packs=loaded_packs(log, requested),
        findings=sorted_findings([_finding(event, locate) for event in log.findings]),
        tallies=tuple(sorted(_tallies(log, requested), key=lambda one: (one.pack, one.policy))),
        resources=len({summary.urn for summary in log.analyzed}),
        notes=(*notes, *_notes(log), *sorted(_remediations(log))),
        changes=tuple(sorted(log.changes.items())),
        seconds=seconds,
    )


def _finding(event: PolicyEvent, locate: Locate) -> Finding:
    words = parse(event.message)
    return Finding(
        policy=event.policy,
        pack=event.pack,
        level=event.level,
        severity=event.severity,
        verdict=words.verdict,
        urn=event.urn,
        type=urn_type(event.urn),
        name=urn_name(event.urn),
        property_path=words.property_path,
        summary=words.summary,
        found=words.found,
        required=words.required,
        why=words.why,
        fix=words.fix,
        description=words.description,
        location=locate(event.urn, words.property_path),
        more=tuple(words.more.items()),
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
    """Yield what policies put right before they judged: whoever reads the program must know."""
    for one in log.remediated:
        where = f"{urn_name(one.urn)} ({urn_type(one.urn)})"
        yield f"{one.policy} put right {where}: {'; '.join(one.changes)}; the program is as it was"


def _notes(log: EventLog) -> Iterator[str]:
    """Yield each warning once, on one line, in the order of the run."""
    seen: set[str] = set()
    for diagnostic in log.diagnostics:
        if diagnostic.severity != "warning":
            continue
        note = _FROM_PATH.sub(r"\1 is taken from PATH", " ".join(plain_lines(diagnostic.message)))
        if note and note not in seen:
            seen.add(note)
            yield note
