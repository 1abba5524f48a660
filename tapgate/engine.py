"""Runs the Pulumi CLI, whatever `pulumi` and backend the environment provides, and waits for it to end well.

Why not `pulumi.automation.Stack.preview`: docs/decisions/0007-gate-and-engine.md.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Self

from tapgate.failure import CouldNotRunError

if TYPE_CHECKING:
    from pathlib import Path

_Handler = Callable[[int, FrameType | None], object] | int | None

INSTALL_HINT = "install the Pulumi CLI (https://www.pulumi.com/docs/install/) and put it on PATH"


@dataclass(frozen=True, slots=True)
class Run:
    """How one command of the CLI ended.

    Attributes:
        code: its exit code; negative when a signal ended it.
        output: file with its standard output.
        errors: its standard error.
        seconds: wall time.
        interrupted: the gate was asked to stop and passed that on.
    """

    code: int
    output: Path
    errors: str
    seconds: float
    interrupted: bool


def find_engine() -> str:
    """Return the path of the `pulumi` on PATH.

    Raises:
        CouldNotRunError: there is none.
    """
    found = shutil.which("pulumi")
    if found is None:
        raise CouldNotRunError(
            "There is no pulumi CLI.",
            where="PATH",
            why="The gate runs the real Pulumi engine; without it nothing can be evaluated.",
            fix=f"{INSTALL_HINT}; `python -m tapgate doctor` shows what else is missing.",
        )
    return found


def quiet_environment() -> dict[str, str]:
    """Return the environment for the CLI: it offers its event log, and does not look for updates."""
    # The event log is among the CLI's debug commands.
    return {**os.environ, "PULUMI_DEBUG_COMMANDS": "true", "PULUMI_SKIP_UPDATE_CHECK": "true"}


class Engine:
    """A Pulumi CLI bound to one project folder.

    Args:
        folder: the project; the CLI runs in it.
        scratch: an existing folder for what the CLI writes; the caller removes it.
        program: path of the CLI; by default the `pulumi` on PATH.
    """

    def __init__(self, folder: Path, scratch: Path, program: str | None = None) -> None:
        self.folder = folder
        self.scratch = scratch
        self.program = program or find_engine()

    def run(self, *arguments: str, name: str, watch: Callable[[], None] | None = None) -> Run:
        """Run one command to its end; an interrupt is passed on to the CLI, which then ends in its own way.

        Args:
            arguments: the command and its options.
            name: a name for its output file, unique among the runs of this engine.
            watch: called about ten times a second while the command runs.
        """
        output, errors = self.scratch / f"{name}.out", self.scratch / f"{name}.err"
        start = time.monotonic()
        with output.open("wb") as out, errors.open("wb") as err, _Interrupts() as interrupts:
            process = subprocess.Popen(
                self._command(arguments),
                cwd=self.folder,
                env=quiet_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                process_group=0,
            )
            interrupts.pass_on_to(process)
            code = _wait(process, watch)
        return Run(
            code=code,
            output=output,
            errors=errors.read_text(encoding="utf-8", errors="replace"),
            seconds=time.monotonic() - start,
            interrupted=interrupts.count > 0,
        )

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [self.program, *arguments, "--non-interactive", "--color", "never"]


def _wait(process: subprocess.Popen[bytes], watch: Callable[[], None] | None) -> int:
    if watch is None:
        return process.wait()
    while True:
        try:
            return process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            watch()


class _Interrupts:
    """Turns SIGINT and SIGTERM to the gate into SIGINT to the CLI, the third one into its end.

    Signals reach only the main thread; in another one this does nothing.
    """

    def __init__(self) -> None:
        self.count = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._before: dict[int, _Handler] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def pass_on_to(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on what comes, and what came before the process was there."""
        self._process = process
        if self.count:
            process.send_signal(signal.SIGINT)

    def _received(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self._process is not None:
            self._process.send_signal(signal.SIGINT if self.count < 3 else signal.SIGKILL)
