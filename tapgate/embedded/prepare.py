"""Prepare the environment that a command asks for: a CLI, stand-ins, code to deploy, stacks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tapgate.embedded import environment, lambda_code
from tapgate.embedded.places import ROOT
from tapgate.embedded.toolchain import find
from tapgate.embedded.toolchain.progress import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from tapgate.embedded.environment import Aws, Changes

_BANNER = "using a stand-in AWS provider: nothing here reaches AWS (--aws real uses your account)"


def prepare(aws: Aws, project: Path | None = None, stacks: Sequence[str] | None = None) -> Changes:
    """Have everything ready, and return what to change in this process's environment.

    Args:
        aws: The stand-ins, or the user's own account.
        project: Folder that the command works in, or below; the code and the component of the checkout are
            made ready if that is where it is.
        stacks: Stacks of the checkout that plain `pulumi` has to find in the backend, beside those with a
            file of their own; None for none at all.
    """
    cli = find()
    changes = environment.changes_for(aws, cli, os.environ)
    if os.environ.get(environment.MARK) != aws:
        say(f"Pulumi {cli.version}, {cli.way}: {cli.folder}")
        if aws == "embedded":
            say(_BANNER)
    if not (ROOT / "Pulumi.yaml").is_file():
        return changes  # Installed as a package: there is no checkout.
    if stacks is not None and aws == "embedded":
        from tapgate.embedded.stacks import configured_stacks, ensure_stacks  # noqa: PLC0415 - few need it

        ensure_stacks([*configured_stacks(), *stacks])
    if project is not None and ROOT in (project.resolve(), *project.resolve().parents):
        from tapgate.embedded.component_environment import ensure_component_environment  # noqa: PLC0415

        lambda_code.ensure_archives()
        ensure_component_environment(cli, environment.applied(changes, os.environ))
    return changes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of what prepares an environment for plain `pulumi`."""
    parser.add_argument(
        "--aws",
        choices=("embedded", "real"),
        default="embedded",
        help="embedded: a stand-in provider, no account (default); real: your own provider and backend",
    )
    parser.add_argument(
        "--stack-init",
        metavar="STACKS",
        type=lambda words: [name for name in str(words).split(",") if name],
        default=[],
        help="create these stacks too, comma-separated (embedded only)",
    )
