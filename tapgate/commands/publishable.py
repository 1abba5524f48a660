"""`tapgate publishable`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from tapgate.doctor import show_checks
from tapgate.failure import Exit
from tapgate.publishing import Candidate, examine

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
    candidate = Candidate(
        folder=cast("Path", options.pack),
        changelog=cast("Path | None", options.changelog),
        configs=tuple(cast("list[Path]", options.config)),
    )
    return Exit.PASSED if show_checks(examine(candidate), "PUBLISHABLE") else Exit.BLOCKED
