"""`tapgate preview`: the engine previews and rehearses the stack with the packs; the gate gives a verdict."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from tapgate import sandbox
from tapgate.assemble import build_report, managed, require_evaluated
from tapgate.commands.session import add_stack_options, session, write_reports
from tapgate.events import read_log
from tapgate.findings import CouldNotRunError, Exit, sorted_findings
from tapgate.packs import pack_options, relaxed
from tapgate.rehearsal import evaluate, settled, unsettled, with_retained
from tapgate.reports.writing import add_targets, targets_of, write_file
from tapgate.sources import Sources
from tapgate.stacks import on_stack, raise_if_missing
from tapgate.terminal import finding_lines, report_lines, write

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from tapgate.assemble import Locate
    from tapgate.commands.session import Session
    from tapgate.findings import Question, Report
    from tapgate.packs import RequestedPack
    from tapgate.rehearsal import Rehearsal, Rehearsed
    from tapgate.stacks import Stack


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


_MOST_EXISTING_ALONE: Final = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_stack_options(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the engine's own preview document")
    add_targets(parser)


def run(options: argparse.Namespace) -> Exit:
    """Preview, print the verdict, write what was asked for; a stack that had to be created is removed."""
    with session(options) as opened:
        name = cast("str", options.stack)
        result = on_stack(
            opened.engine,
            opened.project,
            name,
            lambda stack: preview(opened, stack),
            embedded=opened.embedded,
            notes=opened.notes,
        )
        if options.json is not None:
            write_file(result.document.read_bytes(), cast("Path", options.json))
        write_reports("preview", [result.report], opened.packs, targets_of(options))
    return Exit.BLOCKED if result.report.outcome == "blocked" else Exit.PASSED


def preview(opened: Session, stack: Stack, plan: Path | None = None) -> Preview:
    """Preview and rehearse a stack, evaluate the result, and print the verdict.

    Of a run that failed, what policies had found until then is printed.

    Raises:
        CouldNotRunError: there is no verdict.
        NoSuchStackError: the backend does not have the stack.
    """
    rehearsal = opened.rehearse(stack)
    try:
        previewed = _previewed(opened, stack, opened.packs, plan=plan)
        rehearsal, rehearsed = _rehearsed(opened, stack, rehearsal)
    except CouldNotRunError as failure:
        if opened.box is not None:
            failure.details += tuple(sandbox.missed(failure.details, os.environ))
        raise
    finally:
        rehearsal.running.end()
    report = _settled(opened, previewed, rehearsed)
    if plan is not None and report.outcome == "passed" and not plan.is_file():
        report = _planned(opened, stack, plan, previewed, report, rehearsed)
    for folder in (opened.engine.scratch, rehearsal.scratch):
        if (folder / sandbox.NOT_KEPT).is_file() and not (folder / sandbox.NOT_KEPT).is_symlink():
            opened.theatre.keep(folder / sandbox.NOT_KEPT)
    result = replace(previewed, report=report, rehearsed=rehearsed)
    opened.progress.clear()
    write(report_lines(result.report, opened.ink), sys.stdout)
    return result


def _rehearsed(opened: Session, stack: Stack, rehearsal: Rehearsal) -> tuple[Rehearsal, Rehearsed]:
    """Wait for a rehearsal's end; where the program cannot do without what found nothing, it finds it."""
    existing: list[str] = []
    while True:
        try:
            return rehearsal, rehearsal.finish()
        except CouldNotRunError:
            missed = [one for one in opened.theatre.missed(rehearsal.said) if one not in existing]
            if not missed:
                raise
            # What was missed last is most likely what it failed by.
            existing += missed[-1:] if len(existing) < _MOST_EXISTING_ALONE else missed
        finally:
            rehearsal.running.end()
        rehearsal = opened.rehearse(stack, existing)


def _planned(
    opened: Session, stack: Stack, plan: Path, previewed: Preview, report: Report, rehearsed: Rehearsed
) -> Report:
    """Preview once more, for the plan: the engine saves none where something blocks, settled or not.

    What has been settled is advisory in this run; everything else blocks it as ever.
    """
    settled_now = {one.policy for one in previewed.report.findings if one.blocks}
    again = _previewed(opened, stack, relaxed(opened.packs, settled_now), plan=plan, name="plan")
    again_blocked = [
        replace(one, level="mandatory")
        for one in again.report.findings
        if one.blocks or one.policy in settled_now
    ]
    new = unsettled(again_blocked, report, {one.urn for one in rehearsed.deployment.resources})
    return replace(report, findings=sorted_findings([*report.findings, *new]))


def _settled(opened: Session, previewed: Preview, rehearsed: Rehearsed) -> Report:
    """Return the verdict: what the rehearsal's state is like, and what the preview alone has seen."""
    start = time.monotonic()
    document = previewed.document.read_text(encoding="utf-8", errors="replace")
    deployment, notes = with_retained(rehearsed.deployment, document)
    log = evaluate(deployment, opened.packs, rehearsed.config)
    require_evaluated(log, opened.packs, allow_empty=True)
    report = build_report(
        log,
        project=opened.project.name,
        stack=previewed.report.stack,
        requested=opened.packs,
        locate=previewed.locate,
        seconds=max(previewed.report.seconds, rehearsed.seconds) + time.monotonic() - start,
        notes=(*notes, *(opened.unused_answers(rehearsed.said) if opened.unused_answers else ())),
    )
    same = deployment if opened.offline else None
    report = settled(previewed.report, report, log.declared, previewed.remediated, same)
    if report.outcome == "passed":
        require_evaluated(log, opened.packs, allow_empty=opened.allow_empty)
    return replace(report, sandbox=opened.sandbox)


def _previewed(
    opened: Session,
    stack: Stack,
    packs: Sequence[RequestedPack],
    *,
    plan: Path | None,
    name: str = "preview",
) -> Preview:
    """Have the engine preview a stack with packs.

    Raises:
        CouldNotRunError: there is no verdict.
        NoSuchStackError: the backend does not have the stack.
    """
    engine, project = opened.engine, opened.project
    events = engine.scratch / f"{name}.events"
    kept = ["--save-plan", str(plan)] if plan is not None else []
    run = engine.run(
        *("preview", *stack.options, "--json", *pack_options(packs, engine.scratch)),
        *(*kept, "--event-log", str(events)),
        name=name,
        observe=lambda: opened.progress.observe(events),
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
    if run.interrupted or log.errors() or (run.code != 0 and report.outcome != "blocked"):
        from tapgate.diagnose import could_not_run  # noqa: PLC0415 - only of a run that failed

        where = f"project {project.name}, stack {stack.name}"
        # The program failed, but policies may have found something before: that is worth showing.
        opened.progress.clear()
        for finding in report.findings:
            write([*finding_lines(finding, opened.ink), ""], sys.stdout)
        raise could_not_run(log, run.errors, where=where, interrupted=run.interrupted)
    if report.outcome == "passed":
        require_evaluated(log, packs, allow_empty=True)
    remediated = frozenset((one.pack, one.policy, one.urn) for one in log.remediated)
    return Preview(report, run.output, plan, locate, remediated)
