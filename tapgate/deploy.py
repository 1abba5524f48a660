"""`gate deploy`: deploys exactly what passed.

CrossGuard evaluates stack policies at the end of an update, when the resources exist. They protect only
through a preview, so the update is constrained to the plan of one that passed, and runs the packs again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapgate.assemble import build_report
from tapgate.evidence import require_evaluated
from tapgate.preview import pack_options, read_log
from tapgate.stopped import stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tapgate.engine import Engine
    from tapgate.events import EventLog
    from tapgate.findings import Report
    from tapgate.packs import RequestedPack
    from tapgate.preview import Preview
    from tapgate.project import Project
    from tapgate.stacks import Stack


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment that ended with a verdict.

    Attributes:
        report: the verdict of the update itself.
        applied: number of operations that were carried out, by kind.
    """

    report: Report
    applied: tuple[tuple[str, int], ...]


def deploy(
    engine: Engine,
    project: Project,
    stack: Stack,
    packs: Sequence[RequestedPack],
    previewed: Preview,
    *,
    allow_empty: bool = False,
    watch: Callable[[Path], None] | None = None,
) -> Deployment:
    """Carry out the plan of a preview that passed, with the packs watching again.

    Args:
        engine: the CLI, bound to the project.
        project: the project.
        stack: the stack that was previewed, with the config that it was previewed with.
        packs: the packs that it passed.
        previewed: the preview; it has a plan.
        allow_empty: accept that no policy applied to anything.
        watch: called with the event log's path now and then while the engine runs.

    Raises:
        CouldNotRunError: the update did not end as previewed; says what was changed until then.
        ValueError: the preview was blocked or has no plan.
    """
    if previewed.plan is None or previewed.report.outcome != "passed":
        message = "only the plan of a preview that passed is deployed"
        raise ValueError(message)
    events = engine.scratch / "up.events"
    run = engine.run(
        "up",
        "--stack",
        stack.name,
        "--config-file",
        str(stack.config),
        "--yes",
        "--skip-preview",
        "--plan",
        str(previewed.plan),
        *pack_options(packs),
        "--event-log",
        str(events),
        name="up",
        watch=None if watch is None else lambda: watch(events),
    )
    log = read_log(events)
    places = {(one.urn, one.property_path): one.location for one in previewed.report.findings}
    report = build_report(
        log,
        project=project.name,
        stack=stack.name,
        requested=packs,
        locate=lambda urn, path: places.get((urn, path)),
        seconds=run.seconds,
        notes=stack.notes,
    )
    applied = _applied(log)
    if run.interrupted or log.errors() or (run.code != 0 and report.outcome != "blocked"):
        where = f"project {project.name}, stack {stack.name}"
        raise stopped(log, run, where=where, applied=applied_words(applied))
    if report.outcome == "passed":
        require_evaluated(log, packs, allow_empty=allow_empty)
    return Deployment(report, applied)


def _applied(log: EventLog) -> tuple[tuple[str, int], ...]:
    """Count what was carried out: the engine's own count, or what was seen if it did not come to its end."""
    counts = log.changes if log.result else Counter(log.applied)
    return tuple(sorted((operation, count) for operation, count in counts.items() if operation != "same"))


def applied_words(applied: Sequence[tuple[str, int]]) -> str:
    """Say in words what was carried out."""
    return ", ".join(f"{operation} {count:,}" for operation, count in applied) or "nothing"
