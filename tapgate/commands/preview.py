"""`tapgate preview`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from tapgate.commands.session import add_stack_options, session, write_reports
from tapgate.failure import Exit
from tapgate.reports.writing import add_targets, targets_of, write_file
from tapgate.stacks import on_stack

if TYPE_CHECKING:
    import argparse


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
            opened.engine, opened.project, name, opened.preview, embedded=opened.embedded, notes=opened.notes
        )
        if options.json is not None:
            write_file(result.document.read_bytes(), cast("Path", options.json))
        write_reports("preview", [result.report], opened.packs, targets_of(options))
    return Exit.BLOCKED if result.report.outcome == "blocked" else Exit.PASSED
