"""A command runs as if it had been called directly: its streams, its exit code, its signals."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from local.failure import Failure
from local.run import run

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "WORD": "hello"}


def shell(script: str) -> int:
    return run(["sh", "-c", script], ENVIRONMENT)


def test_the_command_gets_the_environment_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    assert shell('echo "$WORD $HOME"') == 0
    assert capfd.readouterr().out == "hello \n"


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 137), ("kill -15 $$", 143)])
def test_its_exit_code_is_passed_on(script: str, code: int) -> None:
    assert shell(script) == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_passed_on(number: signal.Signals) -> None:
    name = number.name.removeprefix("SIG")
    before = signal.getsignal(number)
    send_soon(number)
    assert shell(f"trap 'kill $!; exit 5' {name}; sleep 20 & wait") == 5
    assert signal.getsignal(number) == before


def test_an_interrupt_is_left_to_the_command() -> None:
    """The terminal sends Ctrl-C to both; here only this process gets it, so the command goes on."""
    send_soon(signal.SIGINT)
    assert shell("sleep 0.6; exit 3") == 3
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_command_itself_can_be_interrupted() -> None:
    assert shell("kill -2 $$") == 130


def test_what_is_no_command_is_refused() -> None:
    with pytest.raises(Failure, match="'no-such-command' is not a command"):
        run(["no-such-command"], ENVIRONMENT)


def send_soon(number: signal.Signals) -> None:
    def send() -> None:
        time.sleep(0.3)
        os.kill(os.getpid(), number)

    threading.Thread(target=send, daemon=True).start()
