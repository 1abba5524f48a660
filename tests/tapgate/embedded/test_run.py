"""A command runs as if it had been called directly: its streams, its exit code, its signals."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.console import Failure
from tapgate.embedded.run import run_to_end

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path
    from types import FrameType

    Handler = Callable[[int, FrameType | None], object] | int

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "WORD": "hello"}


def shell(script: str) -> int:
    return run_to_end(["sh", "-c", script], ENVIRONMENT)


def test_the_command_gets_the_environment_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    assert shell('echo "$WORD $HOME"') == 0
    assert capfd.readouterr().out == "hello \n"


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 137), ("kill -15 $$", 143)])
def test_its_exit_code_is_passed_on(script: str, code: int) -> None:
    assert shell(script) == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_passed_on(number: signal.Signals) -> None:
    name = number.name.removeprefix("SIG")
    with handled(number, signal.SIG_DFL):
        assert shell(f"trap 'kill $!; exit 5' {name}; sleep 20 & kill -{name} $PPID; wait") == 5
        assert signal.getsignal(number) == signal.SIG_DFL


def test_a_signal_that_interrupts_no_call_is_passed_on_at_once(tmp_path: Path) -> None:
    """Another thread takes it, as one that comes just before a call: the call of the main thread goes on."""
    ready = tmp_path / "ready"
    os.mkfifo(ready)

    def take() -> None:
        ready.read_text()
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    with handled(signal.SIGTERM, signal.SIG_DFL):
        threading.Thread(target=take).start()
        assert shell(f"trap 'kill $!; exit 5' TERM; sleep 5 & echo > '{ready}'; wait") == 5


IGNORES_NOTHING = """
import os, signal, sys, time
number = int(sys.argv[1])
ignored = signal.getsignal(number) == signal.SIG_IGN
signal.signal(number, lambda *_: sys.exit(5))
os.kill(os.getppid(), number)
time.sleep(0.3)
sys.exit(3 if ignored else 4)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_is_ignored_stays_ignored(number: signal.Signals) -> None:
    """As SIGHUP is under `nohup`: it is not passed on, and the command begins with it ignored."""
    with handled(number, signal.SIG_IGN):
        assert run_to_end([sys.executable, "-SE", "-c", IGNORES_NOTHING, str(int(number))], ENVIRONMENT) == 3
        assert signal.getsignal(number) == signal.SIG_IGN


def test_an_interrupt_is_left_to_the_command() -> None:
    """The terminal sends Ctrl-C to both; here only this process gets it, so the command goes on."""
    with handled(signal.SIGINT, signal.default_int_handler):
        assert shell("kill -INT $PPID; sleep 0.3; exit 3") == 3
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_command_itself_can_be_interrupted() -> None:
    with handled(signal.SIGINT, signal.default_int_handler):
        assert shell("kill -2 $$") == 130


def test_what_is_no_command_is_refused() -> None:
    with pytest.raises(Failure, match="'no-such-command' is not a command"):
        run_to_end(["no-such-command"], ENVIRONMENT)


@contextmanager
def handled(
    number: signal.Signals, handler: Callable[[int, FrameType | None], object] | int
) -> Generator[None]:
    """Handle a signal so for a while, however whoever runs the tests has it handled."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
