"""`python -m gate preview`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

from gate.commands.stack_options import add_stack_options
from gate.engine import Engine
from gate.failure import Exit
from gate.packs import requested_packs
from gate.preview import IncompleteError, preview
from gate.progress import Progress
from gate.project import find_project
from gate.stacks import on_stack
from gate.terminal import Ink, finding_lines, report_lines, write
from gate.written import write_document, write_file

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_stack_options(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the engine's own preview document")
    parser.add_argument("--verdict", type=Path, metavar="FILE", help="write the verdict as JSON")


def run(options: argparse.Namespace) -> Exit:
    """Preview, print the verdict, write what was asked for.

    Raises:
        CouldNotRunError: there is no verdict.
    """
    project = find_project(cast("Path", options.project))
    packs = requested_packs(options.policy_pack, options.policy_pack_config, project.folder)
    ink = Ink.for_stream(sys.stdout)
    with tempfile.TemporaryDirectory(prefix="gate-") as scratch, Progress(sys.stderr) as progress:
        engine = Engine(project.folder, Path(scratch))
        try:
            result = on_stack(
                engine,
                project,
                cast("str", options.stack),
                lambda stack: preview(
                    engine, project, stack, packs, allow_empty=options.allow_empty, watch=progress.watch
                ),
            )
        except IncompleteError as failure:
            progress.clear()
            for finding in failure.report.findings:
                write([*finding_lines(finding, ink), ""], sys.stdout)
            raise
        progress.clear()
        write(report_lines(result.report, ink), sys.stdout)
        if options.json is not None:
            write_file(result.document.read_bytes(), options.json)
        if options.verdict is not None:
            write_document(result.report.as_document(), options.verdict)
    return Exit.BLOCKED if result.report.outcome == "blocked" else Exit.PASSED
