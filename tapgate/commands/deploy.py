"""`tapgate deploy`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from tapgate.commands.session import add_stack_options, session, write_reports
from tapgate.deploy import Deployment, applied_words, deploy, exists_words
from tapgate.failure import Exit
from tapgate.reports.writing import add_targets, targets_of
from tapgate.stacks import on_stack
from tapgate.terminal import finding_lines, guardrails_lines, write

if TYPE_CHECKING:
    import argparse

    from tapgate.commands.session import Session
    from tapgate.stacks import Stack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_stack_options(parser)
    add_targets(parser)


def run(options: argparse.Namespace) -> Exit:
    """Preview with a plan and, when that passes, carry out exactly that plan.

    Raises:
        CouldNotRunError: there is no verdict, or the update did not end as previewed.
    """
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
    return Exit.STOPPED if done.changed else Exit.BLOCKED


def _deploy(opened: Session, stack: Stack) -> Deployment:
    """Return the verdict that counts: the preview's when that blocks, else the one after the update."""
    previewed = opened.preview(stack, opened.engine.scratch / "plan.json")
    if previewed.report.outcome == "blocked":
        write(["", "Nothing was deployed."], sys.stdout)
        return Deployment(previewed.report, (), changed=False)
    deployment = deploy(
        opened.engine, opened.project, stack, opened.packs, previewed, watch=opened.progress.watch
    )
    opened.progress.clear()
    report, blocked = deployment.report, deployment.report.outcome == "blocked"
    if blocked:
        for finding in (one for one in report.findings if one.blocks):
            write(["", *finding_lines(finding, opened.ink)], sys.stdout)
        if deployment.changed:
            write(["", *exists_words(report.findings)], sys.stdout)
    write(guardrails_lines([report], opened.ink), sys.stdout)
    word, style = ("BLOCKED BY POLICY", "red") if blocked else ("DEPLOYED", "green")
    done = f"{applied_words(deployment.applied)}, {report.seconds:.1f} s"
    write([f"{opened.ink.paint(word, style, 'bold')}  {done}"], sys.stdout)
    return replace(deployment, report=replace(report, sandbox=opened.sandbox))
