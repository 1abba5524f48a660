"""`tapgate preview`: the engine previews the stack with the packs, and the gate gives the verdict."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tapgate.assemble import build_report, managed, require_evaluated
from tapgate.events import EventLog, read_events
from tapgate.failure import CouldNotRunError
from tapgate.sources import Sources
from tapgate.stacks import Stack, raise_if_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tapgate.assemble import Locate
    from tapgate.engine import Engine
    from tapgate.findings import Question, Report
    from tapgate.packs import RequestedPack
    from tapgate.project import Project
    from tapgate.rehearsal import Rehearsed


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview that ended with a verdict.

    Attributes:
        document: file with the engine's own `pulumi preview --json`.
        remediated: what policies remediated, as the update will again: pack, policy and URN.
    """

    report: Report
    document: Path
    plan: Path | None
    locate: Locate
    remediated: frozenset[Question] = frozenset()
    rehearsed: Rehearsed | None = None


class IncompleteError(CouldNotRunError):
    """The program failed, but policies had already found something: that is worth showing."""

    def __init__(self, failure: CouldNotRunError, report: Report) -> None:
        super().__init__(
            failure.what, where=failure.where, why=failure.why, fix=failure.fix, details=failure.details
        )
        self.report = report


def preview(
    engine: Engine,
    project: Project,
    stack: Stack,
    packs: Sequence[RequestedPack],
    *,
    plan: Path | None = None,
    watch: Callable[[Path], None] | None = None,
    name: str = "preview",
) -> Preview:
    """Preview a stack with packs.

    Raises:
        CouldNotRunError: there is no verdict.
        NoSuchStackError: the backend does not have the stack.
    """
    events = engine.scratch / f"{name}.events"
    arguments = [
        "preview",
        "--stack",
        stack.name,
        "--config-file",
        str(stack.config),
        "--json",
        *pack_options(packs, engine.scratch),
    ]
    if plan is not None:
        arguments += ["--save-plan", str(plan)]
    run = engine.run(
        *arguments,
        "--event-log",
        str(events),
        name=name,
        watch=None if watch is None else lambda: watch(events),
        limits=engine.limits,
    )
    raise_if_missing(run)
    log = managed(read_log(events))
    locate = Sources(project, run.output.read_text(encoding="utf-8", errors="replace")).locate
    report = build_report(
        log,
        project=project.name,
        stack=stack.name,
        requested=packs,
        locate=locate,
        seconds=run.seconds,
        notes=stack.notes,
    )
    where = f"project {project.name}, stack {stack.name}"
    if run.interrupted or log.errors() or (run.code != 0 and report.outcome != "blocked"):
        from tapgate.diagnose import could_not_run  # noqa: PLC0415 - only of a run that failed

        failure = could_not_run(log, run.errors, where=where, interrupted=run.interrupted)
        raise IncompleteError(failure, report) if report.findings else failure
    if report.outcome == "passed":
        require_evaluated(log, packs, allow_empty=True)
    remediated = frozenset((one.pack, one.policy, one.urn) for one in log.remediated)
    return Preview(report, run.output, plan, locate, remediated)


def pack_options(packs: Sequence[RequestedPack], scratch: Path) -> list[str]:
    """Return the CLI's options for the packs; each gets a config, so that none comes from elsewhere."""
    options: list[str] = []
    for pack in packs:
        options += ["--policy-pack", str(pack.folder)]
    # A new folder: an earlier program may have left something in the scratch folder, links among it.
    folder = Path(tempfile.mkdtemp(prefix="packs-", dir=scratch))
    for number, pack in enumerate(packs):
        config = folder / f"config-{number}.json"
        config.write_text(json.dumps(dict(pack.body)), encoding="utf-8")
        options += ["--policy-pack-config", str(config)]
    return options


def read_log(path: Path) -> EventLog:
    """Read an event log; the engine writes none when it fails very early."""
    if not path.is_file():
        return EventLog()
    with path.open(encoding="utf-8", errors="replace") as lines:
        return read_events(lines)
