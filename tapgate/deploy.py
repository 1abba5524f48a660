"""`tapgate deploy`: deploys exactly what passed, and evaluates what is there afterwards.

CrossGuard evaluates stack policies at the end of an update, when the resources exist. They protect only
through what runs before: the rehearsal, and a preview whose plan constrains the update. The packs watch the
update as well, where resource policies see each resource's final values before it is made.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

from tapgate.analyzer.deployment import read_deployment
from tapgate.assemble import build_report, require_evaluated
from tapgate.commands.session import Session, add_stack_options, session, write_reports
from tapgate.diagnose import UNKNOWN_CAUSE, could_not_run
from tapgate.events import Diagnostic, EventLog, read_log
from tapgate.findings import CouldNotRunError, Exit
from tapgate.json_access import mapping
from tapgate.packs import pack_options
from tapgate.preview import Preview, preview
from tapgate.project import read_yaml
from tapgate.rehearsal import evaluate, settled, unsettled
from tapgate.reports.writing import add_targets, targets_of
from tapgate.sources import urn_type
from tapgate.stacks import Stack, on_stack
from tapgate.terminal import finding_lines, guardrails_lines, write

if TYPE_CHECKING:
    import argparse

    from tapgate.engine import Run
    from tapgate.findings import Finding, Report

# After a failure the engine says this of every step of the plan that it did not come to.
_NOT_REACHED: Final = re.compile(r"expected resource operations for \S+ but none were seen")
_PLAN: Final = re.compile(r"violates plan|not allowed by the plan")
_GO_ON: Final = "run `tapgate deploy` again: it previews what is left, and goes on from there."


def failed_update(log: EventLog, run: Run, *, where: str, applied: str) -> CouldNotRunError:
    """Say why an update did not end as previewed."""
    if run.interrupted:
        why = "the engine ended what it had begun and stopped there."
        failure = CouldNotRunError("The deployment was interrupted.", where=where, why=why, fix=_GO_ON)
    else:
        failure = _failed_update(log, run, where)
    failure.why += f" Carried out until then, and recorded in the state: {applied}."
    if log.changed:
        failure.code = Exit.CHANGED
    return failure


def _failed_update(log: EventLog, run: Run, where: str) -> CouldNotRunError:
    causes = [one for one in log.errors() if not _NOT_REACHED.search(one.message)]
    errors = run.errors
    if causes:
        reached = [one for one in log.diagnostics if not _NOT_REACHED.search(one.message)]
        log = replace(log, diagnostics=reached)
        errors = "\n".join(line for line in errors.splitlines() if not _NOT_REACHED.search(line))
    failure = could_not_run(log, errors, where=where)
    if failure.what != UNKNOWN_CAUSE or not any(map(_of_a_resource, causes)):
        return failure
    return CouldNotRunError(
        "The deployment stopped at a resource that failed.",
        where=failure.where,
        why="what comes after it was not begun.",
        fix=f"correct what is reported below, then {_GO_ON}",
        details=failure.details,
    )


def _of_a_resource(one: Diagnostic) -> bool:
    return bool(one.urn) and urn_type(one.urn) != "pulumi:pulumi:Stack" and not _PLAN.search(one.message)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment that ended with a verdict.

    Attributes:
        applied: what was carried out, in words.
    """

    report: Report
    applied: str
    changed: bool


def deploy(opened: Session, stack: Stack, previewed: Preview) -> Deployment:
    """Carry out the plan of a preview that passed, with the packs watching, and evaluate the state after it.

    Raises:
        CouldNotRunError: the update did not end as previewed; says what was changed until then, and what of
            that is there and does not pass.
        ValueError: the preview was blocked or has no plan.
    """
    if previewed.plan is None or previewed.report.outcome != "passed":
        message = "only the plan of a preview that passed is deployed"
        raise ValueError(message)
    engine = opened.engine
    events = engine.scratch / "up.events"
    run = engine.run(
        *("up", *stack.options, "--yes", "--skip-preview"),
        *("--plan", str(previewed.plan), *pack_options(opened.packs, engine.scratch)),
        *("--event-log", str(events)),
        name="up",
        observe=lambda: opened.progress.observe(events),
    )
    log = read_log(events)
    update = _report(opened, stack, previewed, log, run.seconds)
    applied = _applied(log)
    if run.interrupted or log.errors() or (run.code != 0 and update.outcome != "blocked"):
        failure = failed_update(log, run, where=_where(opened, stack), applied=applied)
        failure.details += tuple(_exists(opened, stack, previewed, log)) if log.changed else ()
        raise failure
    if update.outcome == "passed":
        require_evaluated(log, opened.packs, allow_empty=True)
    report = _evaluated_again(opened, stack, previewed, update, log)
    return Deployment(report, applied, bool(log.changed))


def _where(opened: Session, stack: Stack) -> str:
    return f"project {opened.project.name}, stack {stack.name}"


def _report(opened: Session, stack: Stack, previewed: Preview, log: EventLog, seconds: float) -> Report:
    return build_report(
        log,
        project=opened.project.name,
        stack=stack.name,
        requested=opened.packs,
        locate=previewed.locate,
        seconds=seconds,
    )


def exists_lines(findings: Sequence[Finding]) -> list[str]:
    """Say of each finding that blocks what is there and did not pass."""
    return [
        f"exists and did not pass: {one.name} ({one.type}), {one.policy}: {one.summary}"
        for one in findings
        if one.blocks
    ]


def _evaluated_again(
    opened: Session, stack: Stack, previewed: Preview, update: Report, log: EventLog
) -> Report:
    """Return what is to be said after the update: of it, and of the state that it left.

    Secrets in that state are closed, so that some of it is undecided. The packs that watched the update had
    the values; where they were not asked, the rehearsal's answer counts. What does not block is told again.
    """
    state = _evaluate_state(opened, stack, previewed)
    report = settled(state, update, log.declared)
    rehearsed = previewed.rehearsed
    known = {one.urn for one in rehearsed.deployment.resources} if rehearsed is not None else frozenset[str]()
    left = unsettled(report.findings, previewed.report, known)
    told = [one for one in report.findings if one in left or (not one.blocks and one.verdict != "undecided")]
    return replace(report, findings=tuple(told))


def _evaluate_state(opened: Session, stack: Stack, previewed: Preview) -> Report:
    export = opened.engine.run("stack", "export", "--stack", stack.name, name="export")
    if export.code != 0:
        failure = could_not_run(EventLog(), export.errors, where=_where(opened, stack))
        raise CouldNotRunError(
            "What was deployed could not be evaluated.",
            where=_where(opened, stack),
            why=f"its state cannot be read: {failure.what}",
            fix=failure.fix,
            details=failure.details,
        )
    deployment = read_deployment(export.output.read_bytes(), f"the state of the stack {stack.name}")
    config = mapping(read_yaml(stack.config, "stack's config file").get("config"))
    state = replace(deployment, project=opened.project.name, stack=stack.name.rsplit("/", 1)[-1])
    log = evaluate(state, opened.packs, config)
    require_evaluated(log, opened.packs, allow_empty=True)
    return _report(opened, stack, previewed, log, 0.0)


def _exists(opened: Session, stack: Stack, previewed: Preview, log: EventLog) -> list[str]:
    """Say what is there after an update that stopped, and does not pass as it is."""
    try:
        report = _evaluate_state(opened, stack, previewed)
    except CouldNotRunError as failure:
        return [f"what was made until then could not be evaluated: {failure.what}", *log.changed]
    return exists_lines(report.findings)


def _applied(log: EventLog) -> str:
    """Say what was carried out: by the engine's own count, or by what was seen where it did not end."""
    counts = log.changes if log.result else Counter(log.applied)
    done = sorted((operation, count) for operation, count in counts.items() if operation != "same")
    return ", ".join(f"{operation} {count:,}" for operation, count in done) or "nothing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_stack_options(parser)
    add_targets(parser)


def run(options: argparse.Namespace) -> Exit:
    """Preview with a plan and, when that passes, carry out exactly that plan."""
    with session(options) as opened:
        done = on_stack(
            opened.engine,
            opened.project,
            cast("str", options.stack),
            lambda stack: _deploy(opened, stack),
            keep=lambda done: done.changed or done.report.outcome == "passed",
            embedded=opened.embedded,
            notes=opened.notes,
        )
        write_reports("deploy", [done.report], opened.packs, targets_of(options))
    if done.report.outcome == "passed":
        return Exit.PASSED
    return Exit.CHANGED if done.changed else Exit.BLOCKED


def _deploy(opened: Session, stack: Stack) -> Deployment:
    """Return the verdict that counts: the preview's when that blocks, else the one after the update."""
    previewed = preview(opened, stack, opened.engine.scratch / "plan.json")
    if previewed.report.outcome == "blocked":
        write(["", "Nothing was deployed."], sys.stdout)
        return Deployment(previewed.report, "nothing", changed=False)
    deployment = deploy(opened, stack, previewed)
    opened.progress.clear()
    report, blocked = deployment.report, deployment.report.outcome == "blocked"
    if blocked:
        for finding in (one for one in report.findings if one.blocks):
            write(["", *finding_lines(finding, opened.ink)], sys.stdout)
        if deployment.changed:
            write(["", *exists_lines(report.findings)], sys.stdout)
    write(guardrails_lines([report], opened.ink), sys.stdout)
    word, style = ("BLOCKED BY POLICY", "red") if blocked else ("DEPLOYED", "green")
    done = f"{deployment.applied}, {report.seconds:.1f} s"
    write([f"{opened.ink.paint(word, style, 'bold')}  {done}"], sys.stdout)
    return replace(deployment, report=replace(report, sandbox=opened.sandbox))
