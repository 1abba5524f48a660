"""`python -m gate publishable`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from gate.doctor import check_line
from gate.failure import Exit
from gate.publishing import Candidate, examine
from gate.terminal import Ink, write

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("pack", type=Path, metavar="DIR", help="folder of the policy pack")
    parser.add_argument(
        "--changelog", type=Path, metavar="FILE", help="file that has to tell what the pack's version changes"
    )
    parser.add_argument(
        "--config",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="JSON config that operators are given with the pack; may be given several times",
    )


def run(options: argparse.Namespace) -> Exit:
    """Print what was looked at, and what is missing.

    Returns:
        Passed when the pack can be published, blocked when it must not be.

    Raises:
        CouldNotRunError: the folder is no pack.
    """
    ink = Ink.for_stream(sys.stdout)
    missing = 0
    candidate = Candidate(
        folder=cast("Path", options.pack),
        changelog=cast("Path | None", options.changelog),
        configs=tuple(cast("list[Path]", options.config)),
    )
    for check in examine(candidate):
        missing += check.standing == "missing"
        write(check_line(check, ink), sys.stdout)
    word, style = ("PUBLISHABLE", "green") if not missing else ("NOT PUBLISHABLE", "red")
    said = "nothing is missing" if not missing else f"{missing} missing"
    write(["", f"{ink.paint(word, style, 'bold')}  {said}"], sys.stdout)
    return Exit.BLOCKED if missing else Exit.PASSED
