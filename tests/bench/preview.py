"""The TAP stack: previewed with the pack ÷ without it, and gated with its rehearsal ÷ previewed without."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.pairing import paired
from tests.bench.row import Row, at_most
from tests.stack.engine import PACK, ROOT, copy_project

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


def run(project: Path, *arguments: str) -> Callable[[], None]:
    """Return what runs the CLI in a project."""

    def once() -> None:
        subprocess.run(
            ["pulumi", *arguments, "--non-interactive"], cwd=project, check=True, capture_output=True
        )

    return once


def gate(project: Path) -> Callable[[], None]:
    """Return what gates the project: it has to pass."""

    def once() -> None:
        command = [sys.executable, "-m", "tapgate", "preview", "--stack", "dev", "-C", str(project)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)

    return once


@contextmanager
def own_project() -> Generator[Path]:
    """Give a copy of the TAP stack's project, its stack `dev` in a backend of its own."""
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder))
        state = Path(folder) / "state"
        state.mkdir()
        os.environ["PULUMI_BACKEND_URL"] = state.as_uri()
        run(project, "stack", "init", "dev")()
        yield project


def measure() -> list[Row]:
    """Preview in turn with and without the pack."""
    with own_project() as project:
        packed = run(project, "preview", "--stack", "dev", "--policy-pack", str(PACK))
        ratio = paired(packed, run(project, "preview", "--stack", "dev"), pairs=7)
    return [at_most("preview with the pack ÷ without", ratio.median, 1.3, ratio.text)]


def measure_rehearsal() -> list[Row]:
    """Gate and preview without the pack in turn."""
    with own_project() as project:
        ratio = paired(gate(project), run(project, "preview", "--stack", "dev"), pairs=7)
    return [at_most("the gate: preview, rehearsal, verdict ÷ preview", ratio.median, 2.5, ratio.text)]
