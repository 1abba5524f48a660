"""Runs the Pulumi CLI, whatever `pulumi` and backend the environment provides, and waits for it to end well.

Why not `pulumi.automation.Stack.preview`: docs/decisions/0007-gate-and-engine.md.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Final, Self

from tapgate.findings import CouldNotRunError
from tapgate.processes import adopt_orphans, children, end_below, more_below

if TYPE_CHECKING:
    from pathlib import Path

    from tapgate.sandbox import Sandbox

_Handler = Callable[[int, FrameType | None], object] | int | None

LIMIT_SECONDS: Final = 600.0
INSTALL_HINT = "install the Pulumi CLI (https://www.pulumi.com/docs/install/) and put it on PATH"


@dataclass(frozen=True, slots=True)
class Run:
    """How one command of the CLI ended.

    Attributes:
        code: its exit code; negative when a signal ended it.
        output: file with its standard output.
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
    executable = shutil.which("pulumi")
    if executable is None:
        raise CouldNotRunError(
            "There is no pulumi CLI.",
            where="PATH",
            why="The gate runs the real Pulumi engine; without it nothing can be evaluated.",
            fix=f"{INSTALL_HINT}; `tapgate doctor` shows what else is missing.",
        )
    return executable


# The engine takes any of its options, and hooks for debuggers, from variables of these names; by the third it
# says events in place of what a preview would change, by the last it passes over a rehearsal's stand-ins.
_STEERING: Final = (
    *("PULUMI_OPTION_", "PULUMI_DEBUG_", "PULUMI_ENABLE_STREAMING_JSON_PREVIEW"),
    "PULUMI_IGNORE_AMBIENT_PLUGINS",
)


def take_out_steering(variables: MutableMapping[str, str]) -> tuple[str, ...]:
    """Take out of an environment what would change the engine's options behind the gate's back.

    Returns:
        A note for each variable that was there, with its name alone.
    """
    names = sorted(name for name in variables if name.startswith(_STEERING))
    for name in names:
        del variables[name]
    return tuple(
        f"{name} is left out of the engine's environment: the gate decides its options" for name in names
    )


def quiet_environment(base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for the CLI: it offers its event log, and does not look for updates."""
    variables = dict(base)
    take_out_steering(variables)
    # The event log is among the CLI's debug commands.
    return {**variables, "PULUMI_DEBUG_COMMANDS": "true", "PULUMI_SKIP_UPDATE_CHECK": "true"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may use before it is ended; only for runs that change nothing.

    Attributes:
        seconds: wall time.
        size: bytes that it may say, in its outputs and its event log.
        processes: processes that it may have at a time.
    """

    seconds: float = LIMIT_SECONDS
    size: int = 256 * 1024 * 1024
    processes: int = 1_000


@dataclass(slots=True)
class Engine:
    """A Pulumi CLI bound to one project folder.

    Attributes:
        folder: the project; the CLI runs in it.
        scratch: an existing folder for what the CLI writes; the caller removes it.
        program: path of the CLI; by default the `pulumi` on PATH.
        variables: its environment; by default this process's own.
        limits: what a run that changes nothing may use.
        box: where such a run takes place; None for beside everything else.
    """

    folder: Path
    scratch: Path
    program: str = field(default_factory=find_engine)
    variables: Mapping[str, str] | None = None
    limits: Limits = field(default_factory=Limits)
    box: Sandbox | None = None

    def run(
        self,
        *arguments: str,
        name: str,
        observe: Callable[[], None] | None = None,
        limits: Limits | None = None,
    ) -> Run:
        """Run one command to its end; an interrupt is passed on to the CLI, which then ends in its own way.

        Args:
            arguments: the command and its options.
            name: a name for its output file, unique among the runs of this engine.
            observe: called about ten times a second while the command runs.
            limits: what it may use; none for a run that must not be ended half-way.

        Raises:
            CouldNotRunError: it went beyond a limit.
        """
        with _Interrupts() as interrupts:
            return self.begin(*arguments, name=name, limits=limits).finish(observe, interrupts)

    @staticmethod
    def wait(running: Running) -> Run:
        """Wait for a command that was begun; see `run`."""
        with _Interrupts() as interrupts:
            return running.finish(interrupts=interrupts)

    def begin(self, *arguments: str, name: str, limits: Limits | None = None) -> Running:
        """Start one command; see `run`."""
        output, errors = self.scratch / f"{name}.out", self.scratch / f"{name}.err"
        before = frozenset[int]()
        if limits is not None:
            adopt_orphans()
            before = children()
        command = [self.program, *arguments, "--non-interactive", "--color", "never"]
        variables = quiet_environment(os.environ if self.variables is None else self.variables)
        if self.box is not None and limits is not None:
            command, variables = self.box.inside(command, self.folder, self.scratch, variables)
        with output.open("wb") as out, errors.open("wb") as err:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                process_group=0,
            )
        return Running(process, self.scratch, name, limits, before)


@dataclass(slots=True)
class Running:
    """A command of the CLI that was started."""

    process: subprocess.Popen[bytes]
    _scratch: Path
    _name: str
    _limits: Limits | None
    _before: frozenset[int]
    _start: float = field(default_factory=time.monotonic)

    def finish(self, observe: Callable[[], None] | None = None, interrupts: _Interrupts | None = None) -> Run:
        """Wait for its end.

        Raises:
            CouldNotRunError: it went beyond a limit, and was ended with everything that it had started.
        """
        if interrupts is not None:
            interrupts.pass_on_to(self.process)
        code = self._wait(observe)
        for path in self._scratch.glob(f"{self._name}.*"):
            require_file(path, self._scratch)
        errors = self._scratch / f"{self._name}.err"
        return Run(
            code=code,
            output=self._scratch / f"{self._name}.out",
            errors=errors.read_text(encoding="utf-8", errors="replace"),
            seconds=time.monotonic() - self._start,
            interrupted=interrupts is not None and interrupts.count > 0,
        )

    def end(self, beside: Iterable[Running] = ()) -> None:
        """End it now, with everything that it started."""
        others = {running.process.pid for running in beside if running.process.poll() is None}
        end_below(self.process, self._before | others)

    def _wait(self, observe: Callable[[], None] | None) -> int:
        # In turns: a signal just before a wait without end would be seen only when that ends.
        turns = 0
        while True:
            try:
                return self.process.wait(timeout=_TURN_SECONDS)
            except subprocess.TimeoutExpired:
                turns += 1
            if observe is not None:
                observe()
            if self._limits is not None and (exceeded := self._exceeded(self._limits, turns)):
                self.end()
                raise exceeded

    def _exceeded(self, limits: Limits, turns: int) -> CouldNotRunError | None:
        seconds = time.monotonic() - self._start
        if seconds > limits.seconds:
            return _ended(
                f"The run did not end within {limits.seconds:,.0f} seconds.",
                "the program, or something that it waits for, never ends.",
                "find what it waits for; a program that needs longer gets it with --timeout SECONDS.",
            )
        if self._said() > limits.size:
            return _ended(
                f"The run said more than {limits.size:,} bytes.",
                "a program that floods its output hides what is said, and fills the disk.",
                "take the endless output out of the program.",
            )
        if turns % _TURNS_OF_A_COUNT == 0 and more_below(self.process.pid, limits.processes):
            return _ended(
                f"The run started more than {limits.processes:,} processes.",
                "a program that starts processes without end takes the machine away from everyone else.",
                "find what starts them in the program.",
            )
        return None

    def _said(self) -> int:
        sizes = 0
        for path in self._scratch.glob(f"{self._name}.*"):
            with contextlib.suppress(OSError):
                sizes += path.stat().st_size
        return sizes


def require_file(path: Path, scratch: Path) -> None:
    """Refuse what a program put in the place of a file that the engine writes: a link, a pipe, a folder.

    Raises:
        CouldNotRunError: it is none, or not the one in the scratch folder.
    """
    there = scratch.resolve() / path.relative_to(scratch)
    if path.is_file() and path.resolve() == there:
        return
    raise CouldNotRunError(
        "The engine's output is not what the engine wrote.",
        where=path.name,
        why="it is no file, or a link to another one: the program has replaced it.",
        fix="take what writes to the engine's files out of the program.",
    )


_TURN_SECONDS: Final = 0.1
_TURNS_OF_A_COUNT: Final = 5


def _ended(what: str, why: str, fix: str) -> CouldNotRunError:
    return CouldNotRunError(what, where="the program, as the engine runs it", why=why, fix=fix)


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
