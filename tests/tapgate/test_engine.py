from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tapgate.engine import Engine, find_engine
from tapgate.findings import CouldNotRunError

if TYPE_CHECKING:
    from pathlib import Path

WAITS = """#!/bin/sh
trap 'echo stopping; exit 3' INT
echo started
while :; do sleep 0.05; done
"""
DEAF = """#!/bin/sh
trap '' INT
echo started
while :; do sleep 0.05; done
"""


def engine(folder: Path, script: str) -> Engine:
    program = folder / "pulumi"
    program.write_text(script)
    program.chmod(0o755)
    return Engine(folder, folder, str(program))


def interrupt_when_started(folder: Path, *signals: int) -> threading.Thread:
    def wait_and_send() -> None:
        output = folder / "x.out"
        while not output.is_file() or "started" not in output.read_text():
            time.sleep(0.01)
        for number in signals:
            os.kill(os.getpid(), number)
            time.sleep(0.1)

    thread = threading.Thread(target=wait_and_send)
    thread.start()
    return thread


def test_a_command_runs_in_the_project_without_a_terminal(tmp_path: Path) -> None:
    run = engine(
        tmp_path, '#!/bin/sh\necho "$@ $PWD $PULUMI_DEBUG_COMMANDS"; read x || echo no input >&2; exit 4'
    ).run("a", name="x")
    assert run.output.read_text() == f"a --non-interactive --color never {tmp_path} true\n"
    assert (run.code, run.errors, run.interrupted) == (4, "no input\n", False)


def test_it_is_watched_while_it_runs(tmp_path: Path) -> None:
    seen: list[int] = []
    run = engine(tmp_path, "#!/bin/sh\nsleep 0.35").run(name="x", observe=lambda: seen.append(1))
    assert run.code == 0
    assert seen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_lets_the_cli_end_in_its_own_way(tmp_path: Path, number: int) -> None:
    before = signal.getsignal(number)
    thread = interrupt_when_started(tmp_path, number)
    run = engine(tmp_path, WAITS).run(name="x")
    thread.join()
    assert (run.code, run.interrupted, run.output.read_text()) == (3, True, "started\nstopping\n")
    assert signal.getsignal(number) is before


def test_the_third_interrupt_ends_a_cli_that_does_not_listen(tmp_path: Path) -> None:
    thread = interrupt_when_started(tmp_path, *[signal.SIGINT] * 3)
    run = engine(tmp_path, DEAF).run(name="x")
    thread.join()
    assert (run.code, run.interrupted) == (-signal.SIGKILL, True)


def test_other_threads_leave_signals_alone(tmp_path: Path) -> None:
    codes: list[int] = []
    cli = engine(tmp_path, "#!/bin/sh\nexit 5")
    thread = threading.Thread(target=lambda: codes.append(cli.run(name="x").code))
    thread.start()
    thread.join()
    assert codes == [5]


def test_no_cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CouldNotRunError, match="There is no pulumi CLI"):
        find_engine()
