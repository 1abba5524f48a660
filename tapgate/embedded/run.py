"""`tapgate exec`: run a command in the prepared environment, as if it had been called directly."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import threading
from typing import TYPE_CHECKING, cast

from tapgate.embedded import prepare
from tapgate.embedded.console import Failure
from tapgate.embedded.environment import applied
from tapgate.embedded.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    _Handler = Callable[[int, FrameType | None], object] | int | None

_PASSED_ON = (signal.SIGTERM, signal.SIGHUP)
_SECONDS = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    prepare.add_arguments(parser)
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND ...", help="what to run")


def run(options: argparse.Namespace) -> int:
    """Run the command that follows two hyphens.

    Raises:
        Failure: there is no such command, or nothing to run it in.
    """
    command = cast("list[str]", options.words)
    command = command[1:] if command[:1] == ["--"] else command
    if not command:
        raise Failure(
            "No command is given", fix="write it behind two hyphens: tapgate exec -- pulumi version"
        )
    changes = prepare.prepare(options.aws, ROOT, options.stack_init)
    return run_to_end(command, applied(changes, os.environ))


def run_to_end(command: Sequence[str], environment: Mapping[str, str]) -> int:
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

    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if process is None:
            early.append(number)
        else:
            process.send_signal(number)

    # Before the command starts: it may be quicker with a signal than this process with its handlers.
    handle(signal.SIGINT, _leave_to_the_command)
    for number in _PASSED_ON:
        handle(number, pass_on)
    try:
        process = subprocess.Popen([program, *command[1:]], env=environment)
        for number in early:
            process.send_signal(number)
        # A signal between two steps of a wait without end would be seen only when the command has ended.
        waiting = threading.Thread(target=process.wait, daemon=True)
        waiting.start()
        while waiting.is_alive():
            waiting.join(_SECONDS)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    code = process.wait()
    return code if code >= 0 else 128 - code


def _leave_to_the_command(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: a handler, unlike SIG_IGN, is not inherited by the command."""
