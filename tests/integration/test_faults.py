"""Interrupted, killed, doubled, left without its emulator or its code: the next run finishes the job.

These tests have emulators of their own, which they kill; they never run against AWS.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Literal

import pytest

from tapgate.embedded.emulator import Emulator
from tests.integration import official
from tests.integration.deployment import Deployment, prepare
from tests.integration.expiring import expiring
from tests.integration.inventory import inventory
from tests.integration.target import Target
from tests.integration.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.cli, pytest.mark.emulator]
Killed = Literal["engine", "provider", "both"]
STACK = "TapStackfault"
UNASKED = ("--yes", "--skip-preview")
STEPS_OF_UP = 70
MOST_ROUNDS = 6
STAND_IN = pytest.mark.skipif(
    official.chosen(), reason="of the stand-in: the official provider does not find what a killed run left"
)
STEPS_OF_DESTROY = 60
_STEP = re.compile(r" (?:creating|created|deleting|deleted) \(")
_DONE = re.compile(r" (?:created|deleted) \(")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What an undisturbed deployment leaves."""
    with Emulator() as emulator:
        target = Target(emulator.endpoint, emulator.environment())
        deployment = _prepared(tmp_path_factory.mktemp("expected"), target)
        done = deployment.up()
        assert done.returncode == 0, done.stdout
        return _named(target)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short name: the engine abbreviates the path of a policy pack that is long."""
    return tmp_path_factory.mktemp("f")


@pytest.fixture
def target() -> Iterator[Target]:
    """An emulator for one test."""
    with Emulator() as emulator:
        yield Target(emulator.endpoint, emulator.environment())


def _prepared(folder: Path, target: Target) -> Deployment:
    deployment = prepare(folder, STACK, target)
    made = deployment.pulumi("stack", "init")
    assert made.returncode == 0, made.stderr
    return deployment


def _named(target: Target) -> set[str]:
    keys = [item for item in inventory(target) if item.startswith("key ")]
    return {f"{len(keys)} key", *(item for item in inventory(target) if not item.startswith("key "))}


def _kill_after(
    process: subprocess.Popen[str], steps: int, killed: Killed, counted: re.Pattern[str] = _STEP
) -> str:
    """Kill the engine, its AWS provider or both once it has told of some steps. Give what it said.

    A busy machine hears of the steps late: the process may have come to its end, with exit code 0.
    """
    said: list[str] = []
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            steps -= bool(counted.search(line))
            if steps <= 0:
                break
        providers = [pid for pid, command in _children(process.pid) if "aws_provider" in command]
        with contextlib.suppress(ProcessLookupError):
            if killed != "provider":
                os.killpg(process.pid, signal.SIGKILL)
            if killed != "engine":
                for provider in providers:
                    os.kill(provider, signal.SIGKILL)
        said.append(process.stdout.read())
    return "".join(said)


def _run_and_kill(deployment: Deployment, command: str, steps: int, killed: Killed) -> None:
    """Run a command that is killed on its way; where it came to its end before, again and killed earlier."""
    undo = {"up": deployment.destroy, "destroy": deployment.up}[command]
    while True:
        process = deployment.start(command, *UNASKED)
        said = _kill_after(process, steps, killed)
        if process.returncode != 0:
            break
        assert steps > 1, said
        undone = undo()
        assert undone.returncode == 0, undone.stdout
        steps //= 2
    deployment.pulumi("cancel", "--yes")


def _children(pid: int) -> list[tuple[int, str]]:
    """Return a process's children with their commands."""
    asked = ["ps", "-A", "-ww", "-o", "pid=", "-o", "ppid=", "-o", "args="]
    listed = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    found = [line.split(None, 2) for line in listed.splitlines()]
    return [(int(child), command[0]) for child, parent, *command in found if int(parent) == pid and command]


@STAND_IN
@pytest.mark.parametrize(("killed", "seed"), [("engine", 1), ("provider", 0), ("both", 2)])
def test_whoever_is_killed_anywhere_is_made_up_for(
    killed: Killed, seed: int, target: Target, expected: set[str], folder: Path
) -> None:
    chance = random.Random(seed)  # noqa: S311 - points in time, no secret
    deployment = _prepared(folder, target)

    _run_and_kill(deployment, "up", chance.randint(1, STEPS_OF_UP), killed)
    done = deployment.up()
    assert done.returncode == 0, done.stdout
    assert _named(target) == expected
    assert deployment.changes() == {}

    _run_and_kill(deployment, "destroy", chance.randint(1, STEPS_OF_DESTROY), killed)
    done = deployment.destroy()
    assert done.returncode == 0, done.stdout
    assert inventory(target) == set()


@STAND_IN
def test_an_engine_killed_again_and_again_gets_there(
    target: Target, expected: set[str], folder: Path
) -> None:
    """Each run goes on where the one before was killed, and meets whatever that left behind."""
    chance = random.Random(20)  # noqa: S311 - points in time, no secret
    deployment = _prepared(folder, target)
    # With the tests before and after this one, `up` is killed at more than ten points. A busy machine hears
    # of the steps late and kills more seldom: all is made and taken away until it was killed that often.
    ups = destroys = 0
    for _ in range(MOST_ROUNDS):
        ups += _killed_until_done(deployment, "up", chance, most=4)
        assert _named(target) == expected
        assert deployment.changes() == {}
        destroys += _killed_until_done(deployment, "destroy", chance, most=14)
        assert inventory(target) == set()
        if ups >= 6 and destroys >= 2:
            return
    pytest.fail(f"killed only {ups} and {destroys} times")


def _killed_until_done(deployment: Deployment, command: str, chance: random.Random, *, most: int) -> int:
    """Run a command over and over, killed when at most so many steps are done; count the kills to its end."""
    for kills in range(STEPS_OF_UP):
        process = deployment.start(command, *UNASKED)
        said = _kill_after(process, chance.randint(1, most), "engine", _DONE)
        if process.returncode >= 0:
            assert process.returncode == 0, said
            return kills
        deployment.pulumi("cancel", "--yes")
    pytest.fail(f"{command} does not get on")


@STAND_IN
@pytest.mark.parametrize("seed", [10, 11, 12])
def test_an_emulator_killed_anywhere_is_made_up_for(seed: int, expected: set[str], folder: Path) -> None:
    chance = random.Random(seed)  # noqa: S311 - points in time, no secret
    with Emulator() as first:
        port = first.port
        target = Target(first.endpoint, first.environment())
        deployment = _prepared(folder, target)
        steps = chance.randint(1, STEPS_OF_UP - 10)
        said: list[str] = []
        with deployment.start("up", *UNASKED) as process:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                steps -= bool(_STEP.search(line))
                if not steps:
                    first.kill()
        assert process.returncode != 0
    assert "Could not connect" in "".join(said) or "Connection was closed" in "".join(said)
    assert "Traceback" not in "".join(said)

    with Emulator(port):
        done = deployment.up("--refresh")
        assert done.returncode == 0, done.stdout
        assert _named(target) == expected
        assert deployment.changes() == {}
        assert deployment.destroy().returncode == 0
        assert inventory(target) == set()


def test_ctrl_c_says_how_far_it_came_and_the_next_run_goes_on(
    target: Target, expected: set[str], folder: Path
) -> None:
    deployment = _prepared(folder, target)
    process = deployment.start_gate("deploy")
    eventually(lambda: len(deployment.resources()) > 8 or process.poll() is not None, seconds=300)
    process.send_signal(signal.SIGINT)
    said, complaints = process.communicate()
    assert process.returncode == 3, said + complaints
    assert "The deployment was interrupted." in complaints, said + complaints
    assert re.search(r"recorded in the\s+state: create \d", complaints)
    assert "Traceback" not in said + complaints

    done = deployment.gate("deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "DEPLOYED" in done.stdout
    assert _named(target) == expected


def test_of_two_deployments_at_once_one_is_refused(target: Target, expected: set[str], folder: Path) -> None:
    deployment = _prepared(folder, target)
    with deployment.start("up", *UNASKED) as first:
        assert first.stdout is not None
        for line in first.stdout:
            if _STEP.search(line):
                break
        # Held in the middle: on a machine at work it would be over before the other one gets so far.
        os.killpg(first.pid, signal.SIGSTOP)
        try:
            second = deployment.gate("deploy")
        finally:
            os.killpg(first.pid, signal.SIGCONT)
        rest = first.stdout.read()
    assert first.returncode == 0, rest
    assert second.returncode == 2, second.stdout
    assert "The stack is locked by another run." in second.stderr
    assert "`pulumi cancel`" in second.stderr
    assert _named(target) == expected


def test_credentials_that_expire_on_the_way_are_named_and_the_next_run_goes_on(
    target: Target, expected: set[str], folder: Path
) -> None:
    with expiring(target.endpoint, requests=60) as endpoint:
        led = Target(endpoint.endpoint, {**target.environment, "AWS_ENDPOINT_URL": endpoint.endpoint})
        deployment = _prepared(folder, led)
        refused = deployment.gate("deploy")
        assert refused.returncode == 3, refused.stdout
        assert endpoint.refused > 0
        assert "AWS does not accept the credentials." in refused.stderr
        assert "aws sso login" in refused.stderr
        assert "Traceback" not in refused.stdout + refused.stderr
        assert inventory(target) != set()

        endpoint.left = sys.maxsize
        done = deployment.gate("deploy")
        assert done.returncode == 0, done.stdout + done.stderr
    assert _named(target) == expected


def test_a_missing_zip_is_named_and_nothing_is_made(target: Target, folder: Path) -> None:
    deployment = _prepared(folder, target)
    (deployment.folder / "dist").unlink()
    refused = deployment.gate("deploy")
    assert refused.returncode == 2
    assert "python -m lambdas.package" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr
    assert inventory(target) == set()


@STAND_IN
def test_without_an_emulator_up_says_so_and_makes_nothing(target: Target, folder: Path) -> None:
    deployment = _prepared(folder, target)
    refused = deployment.pulumi("up", "--yes", "--skip-preview", more={"AWS_ENDPOINT_URL": ""})
    assert refused.returncode != 0
    assert "no emulator to create" in refused.stdout
    assert "tapgate.embedded.emulator run" in refused.stdout
    assert inventory(target) == set()


@STAND_IN
@pytest.mark.parametrize("endpoint", ["https://sts.eu-west-2.amazonaws.com", "https://93.184.216.34"])
def test_what_could_be_aws_itself_is_refused(target: Target, folder: Path, endpoint: str) -> None:
    deployment = _prepared(folder, target)
    refused = deployment.pulumi("up", "--yes", "--skip-preview", more={"AWS_ENDPOINT_URL": endpoint})
    assert refused.returncode != 0
    assert "does not deploy to" in refused.stdout + refused.stderr
    assert inventory(target) == set()
