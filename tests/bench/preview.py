"""The whole preview of the TAP stack through the real CLI: with the pack ÷ without it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.pairing import paired
from tests.bench.row import Row, at_most
from tests.stack.engine import PACK, copy_project

if TYPE_CHECKING:
    from collections.abc import Callable


def run(project: Path, *arguments: str) -> Callable[[], None]:
    """Return what runs the CLI in a project."""

    def once() -> None:
        subprocess.run(
            ["pulumi", *arguments, "--non-interactive"], cwd=project, check=True, capture_output=True
        )

    return once


def measure() -> list[Row]:
    """Preview in turn with and without the pack, in a backend of its own."""
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder))
        state = Path(folder) / "state"
        state.mkdir()
        os.environ["PULUMI_BACKEND_URL"] = state.as_uri()
        run(project, "stack", "init", "dev")()
        ratio = paired(
            run(project, "preview", "--stack", "dev", "--policy-pack", str(PACK)),
            run(project, "preview", "--stack", "dev"),
            pairs=7,
        )
    return [at_most("preview with the pack ÷ without", ratio.median, 1.3, ratio.text)]
