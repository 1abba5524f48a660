"""`tapgate doctor`."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tapgate.doctor import examine, show_checks
from tapgate.failure import Exit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from tapgate.doctor import Check


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
        help="folder of a policy pack (default: the one that comes with tapgate)",
    )


def run(options: argparse.Namespace) -> Exit:
    """Print what is there and what is missing.

    Returns:
        Passed when nothing is missing, else could not run.
    """
    checks: Iterable[Check] = cast("list[Check]", options.checks)
    if options.engine_at_hand:
        more = examine(cast("Path", options.project), cast("list[Path]", options.policy_pack))
        checks = chain(checks, more)
    return Exit.PASSED if show_checks(checks, "READY") else Exit.COULD_NOT_RUN
