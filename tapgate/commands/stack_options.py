"""The options that every command on a stack has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tapgate.engine import LIMIT_SECONDS
from tapgate.project import OPERATORS_CHOICES

if TYPE_CHECKING:
    import argparse

_LONGEST: Final = 7 * 24 * 3600


def add_stack_options(parser: argparse.ArgumentParser) -> None:
    """Declare which project, stack and packs a command works on."""
    parser.add_argument("--stack", "-s", default="dev", help="the stack (default: dev)")
    parser.add_argument(
        "--project", "-C", type=Path, default=Path(), metavar="DIR", help="folder of the Pulumi project"
    )
    add_pack_options(parser)
    parser.add_argument(
        "--allow-in-project",
        action="append",
        choices=tuple(OPERATORS_CHOICES),
        default=[],
        metavar="KEY",
        help=f"let the project decide this itself; one of: {', '.join(OPERATORS_CHOICES)}",
    )
    parser.add_argument(
        "--allow-empty", action="store_true", help="pass as well when no policy applies to any resource"
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=LIMIT_SECONDS,
        metavar="SECONDS",
        help="end a preview or rehearsal that takes longer (default: %(default).0f)",
    )


def _seconds(word: str) -> float:
    seconds = float(word)
    if not 0 < seconds < _LONGEST:
        raise ValueError(word)
    return seconds


def add_pack_options(parser: argparse.ArgumentParser) -> None:
    """Declare which packs a command evaluates."""
    parser.add_argument(
        "--policy-pack",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="folder of a policy pack; may be given several times (default: the one that comes with tapgate)",
    )
    parser.add_argument(
        "--policy-pack-config",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="JSON config of the pack at the same place in the order",
    )
