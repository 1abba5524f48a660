"""Run a command in a prepared environment, as if it had been called directly."""

from __future__ import annotations

import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

from tapgate.embedded.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    _Handler = Callable[[int, FrameType | None], object] | int | None

_PASSED_ON = (signal.SIGTERM, signal.SIGHUP)


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the command to its end and return its exit code, 128 + n for one that signal n ended.

    Ctrl-C reaches the command by itself, which decides what to do about it; SIGTERM and SIGHUP are passed on.
    A signal that is ignored (SIGHUP under `nohup`) stays ignored, here and in the command.
    """
    program = shutil.which(command[0], path=environment.get("PATH"))
    if program is None:
        raise Failure(
            f"{command[0]!r} is not a command",
            where="PATH of the prepared environment",
            fix="check its spelling, or install it",
        )
    before: dict[int, _Handler] = {}

    def handle(number: int, handler: Callable[[int, FrameType | None], None]) -> None:
        if signal.getsignal(number) != signal.SIG_IGN:
            before[number] = signal.signal(number, handler)

    handle(signal.SIGINT, _leave_to_the_command)
    process = subprocess.Popen([program, *command[1:]], env=environment)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    for number in _PASSED_ON:
        handle(number, pass_on)
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _leave_to_the_command(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: a handler, unlike SIG_IGN, is not inherited by the command."""
