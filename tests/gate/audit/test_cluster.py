"""The same audit on a Dask cluster of two processes, one of which is killed on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gate.audit.cluster import connected
from gate.document import mapping, sequence
from gate.failure import CouldNotRunError
from tests.gate.sample_state import exported, resource, root

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

pytestmark = [pytest.mark.cli, pytest.mark.usefixtures("backend")]
PROBE = Path(__file__).parents[1] / "fixtures" / "packs" / "probe"
REPOSITORY = Path(__file__).parents[3]


@contextmanager
def process(log: Path, *arguments: str) -> Generator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with log.open("wb") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=REPOSITORY,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield started
        finally:
            os.killpg(started.pid, signal.SIGTERM)
            started.wait(30)


def worker(folder: Path, name: str) -> list[str]:
    return [
        "distributed.cli.dask_worker",
        "--scheduler-file",
        str(folder / "scheduler.json"),
        "--name",
        name,
        "--nthreads",
        "1",
        "--no-dashboard",
        "--no-nanny",
        "--local-directory",
        str(folder),
    ]


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    pytest.importorskip("distributed", reason="the optional package for audits on a cluster")
    file = tmp_path / "scheduler.json"
    command = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    with process(tmp_path / "scheduler.log", *command, "--scheduler-file", str(file)):
        deadline = time.monotonic() + 60
        while not file.is_file() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.2)
        yield str(mapping(json.loads(file.read_text()))["address"])


def audit(states: Path, target: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gate", "audit", str(states), "--policy-pack", str(PROBE)]
    return subprocess.run(
        [*command, "--verdict", str(target), *more],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def verdict(path: Path) -> dict[str, object]:
    return {**mapping(json.loads(path.read_text())), "made": ""}


def test_the_same_result_although_a_worker_is_killed(scheduler: str, tmp_path: Path) -> None:
    states, results = tmp_path / "states", tmp_path / "results"
    states.mkdir()
    for number in range(150):
        body = exported([root(f"s{number}"), *(resource(f"r{n}", stack=f"s{number}") for n in range(20))])
        (states / f"{number}.json").write_bytes(body)
    (states / "broken.json").write_bytes(b"{")
    with (
        process(tmp_path / "b.log", *worker(tmp_path, "b")),
        process(tmp_path / "a.log", *worker(tmp_path, "a")) as doomed,
    ):
        command = [sys.executable, "-m", "gate", "audit", str(states), "--policy-pack", str(PROBE)]
        running = subprocess.Popen(
            [
                *command,
                "--verdict",
                str(tmp_path / "cluster.json"),
                "--scheduler",
                scheduler,
                "--results",
                str(results),
            ],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 120
        while len(list(results.rglob("*.json"))) < 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        doomed.kill()
        out, err = running.communicate(timeout=240)
    assert "Traceback" not in out + err
    assert running.returncode == 2, out + err
    assert "150 stacks with 3,150 resources audited, 0 blocked, 1 not audited" in out
    local = audit(states, tmp_path / "local.json", "--fresh")
    assert local.returncode == 2
    assert verdict(tmp_path / "cluster.json") == verdict(tmp_path / "local.json")
    assert len(sequence(verdict(tmp_path / "local.json")["stacks"])) == 150


def test_a_scheduler_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the optional package for audits on a cluster")
    (tmp_path / "a.json").write_bytes(exported([root()]))
    done = audit(tmp_path, tmp_path / "verdict.json", "--scheduler", "tcp://127.0.0.1:1")
    assert done.returncode == 2
    assert "The Dask scheduler does not answer." in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CouldNotRunError, match="The Dask client is not installed"), connected("tcp://x:1"):
        pass
