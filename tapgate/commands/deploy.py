"""`python -m tapgate deploy`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

from tapgate.commands.reporting import write_reports
from tapgate.commands.session import session
from tapgate.commands.stack_options import add_stack_options
from tapgate.deploy import applied_words, deploy
from tapgate.failure import Exit
from tapgate.reports import add_targets, targets_of
from tapgate.stacks import on_stack
from tapgate.terminal import finding_lines, write

if TYPE_CHECKING:
    import argparse

    from tapgate.commands.session import Session
    from tapgate.findings import Report
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
        report = on_stack(
            opened.engine,
            opened.project,
            cast("str", options.stack),
            lambda stack: _deploy(opened, stack),
            keep=lambda report: report.outcome == "passed",
            embedded=opened.embedded,
        )
        write_reports("deploy", [report], opened.packs, targets_of(options))
    return Exit.BLOCKED if report.outcome == "blocked" else Exit.PASSED


def _deploy(opened: Session, stack: Stack) -> Report:
    """Return the verdict that counts: the preview's when that blocks, else the update's."""
    previewed = opened.preview(stack, opened.engine.scratch / "plan.json")
    if previewed.report.outcome == "blocked":
        write(["", "Nothing was deployed."], sys.stdout)
        return previewed.report
    deployment = deploy(
        opened.engine,
        opened.project,
        stack,
        opened.packs,
        previewed,
        allow_empty=opened.allow_empty,
        watch=opened.progress.watch,
    )
    opened.progress.clear()
    if deployment.report.outcome == "blocked":
        for finding in deployment.report.findings:
            write(["", *finding_lines(finding, opened.ink)], sys.stdout)
    word, style = (
        ("DEPLOYED", "green") if deployment.report.outcome == "passed" else ("BLOCKED BY POLICY", "red")
    )
    done = f"{applied_words(deployment.applied)}, {deployment.report.seconds:.1f} s"
    write([f"{opened.ink.paint(word, style, 'bold')}  {done}"], sys.stdout)
    return deployment.report
