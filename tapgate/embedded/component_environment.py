"""Give the component what Pulumi's official Python language host wants of a plugin: a `venv` of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tapgate.embedded.failure import Failure
from tapgate.embedded.places import ROOT
from tapgate.embedded.toolchain import go_build
from tapgate.embedded.toolchain.progress import say, still_going

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tapgate.embedded.toolchain.executable import Cli

COMMAND = ("install", "--non-interactive")


def ensure_component_environment(cli: Cli, environment: Mapping[str, str], root: Path = ROOT) -> None:
    """Run `pulumi install` once where an official CLI is used.

    The language host that is built with Go runs a plugin without a `venv` with the interpreter at hand; the
    official one refuses to.
    """
    component = root / "program"
    if go_build.is_build(cli.folder) or (component / "venv" / "bin" / "python").exists():
        return
    if not (component / "PulumiPlugin.yaml").exists():
        return
    say("installing the component's dependencies into program/venv with `pulumi install`, once")
    with still_going("installing the component's dependencies"):
        outcome = subprocess.run(
            [cli.folder / "pulumi", *COMMAND], cwd=root, env=environment, stdout=sys.stderr, check=False
        )
    if outcome.returncode:
        raise Failure(
            f"`pulumi install` failed with exit code {outcome.returncode}",
            where=str(component),
            why="Pulumi's official Python language host runs a component in a `venv` of its own",
            fix="run `pulumi install` in the project's root until it succeeds",
        )
