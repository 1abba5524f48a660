"""The options that every command on a stack has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_stack_options(parser: argparse.ArgumentParser) -> None:
    """Declare which project, stack and packs a command works on."""
    parser.add_argument("--stack", "-s", default="dev", help="the stack (default: dev)")
    parser.add_argument(
        "--project", "-C", type=Path, default=Path(), metavar="DIR", help="folder of the Pulumi project"
    )
    add_pack_options(parser)
    parser.add_argument(
        "--allow-empty", action="store_true", help="pass as well when no policy applies to any resource"
    )


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
