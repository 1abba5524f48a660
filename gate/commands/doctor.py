"""`python -m gate doctor`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from gate.doctor import check_line, examine
from gate.failure import Exit
from gate.terminal import Ink, write

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--project", "-C", type=Path, default=Path(), metavar="DIR", help="folder of the Pulumi project"
    )
    parser.add_argument(
        "--policy-pack",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="folder of a policy pack (default: the project's own policypack/)",
    )


def run(options: argparse.Namespace) -> Exit:
    """Print what is there and what is missing.

    Returns:
        Passed when nothing is missing, else could not run.
    """
    ink = Ink.for_stream(sys.stdout)
    missing = 0
    for check in examine(cast("Path", options.project), cast("list[Path]", options.policy_pack)):
        missing += check.standing == "missing"
        write(check_line(check, ink), sys.stdout)
    word, style = ("READY", "green") if not missing else ("NOT READY", "red")
    said = "nothing is missing" if not missing else f"{missing} missing"
    write(["", f"{ink.paint(word, style, 'bold')}  {said}"], sys.stdout)
    return Exit.COULD_NOT_RUN if missing else Exit.PASSED
