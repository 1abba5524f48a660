"""The same audit on a Dask cluster of two processes, one of which is killed on the way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.audit import pool
from tapgate.audit.pool import connected
from tapgate.cli import main
from tapgate.findings import CouldNotRunError
from tapgate.json_access import mapping, sequence
from tests.tapgate.audit.dask_cluster import REPOSITORY, scheduler, worker
from tests.tapgate.sample_state import exported, resource, root

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.cli, pytest.mark.usefixtures("backend")]
PROBE = Path(__file__).parents[1] / "fixtures" / "packs" / "probe"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with scheduler(tmp_path) as address:
        yield address


def audit(states: Path, target: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tapgate", "audit", str(states), "--policy-pack", str(PROBE)]
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


def test_the_same_result_although_a_worker_is_killed(address: str, tmp_path: Path) -> None:
    states, results = tmp_path / "states", tmp_path / "results"
    states.mkdir()
    for number in range(80):
        body = exported([root(f"s{number}"), *(resource(f"r{n}", stack=f"s{number}") for n in range(9))])
        (states / f"{number}.json").write_bytes(body)
    (states / "broken.json").write_bytes(b"{")
    with worker(tmp_path, "b"), worker(tmp_path, "a") as doomed:
        command = [sys.executable, "-m", "tapgate", "audit", str(states), "--policy-pack", str(PROBE)]
        running = subprocess.Popen(
            [
                *command,
                "--verdict",
                str(tmp_path / "cluster.json"),
                "--scheduler",
                address,
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
        assert len(list(results.rglob("*.json"))) < 80, "it was over before a worker could be killed"
        out, err = running.communicate(timeout=240)
    assert "Traceback" not in out + err
    assert running.returncode == 2, out + err
    assert "80 stacks with 800 resources audited, 0 blocked, 1 not audited" in out
    local = audit(states, tmp_path / "local.json", "--fresh")
    assert local.returncode == 2
    assert verdict(tmp_path / "cluster.json") == verdict(tmp_path / "local.json")
    assert len(sequence(verdict(tmp_path / "local.json")["stacks"])) == 80


def test_a_scheduler_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.json").write_bytes(exported([root()]))
    monkeypatch.setattr(pool, "_CONNECT_SECONDS", 1)
    code = main(["audit", str(tmp_path), "--policy-pack", str(PROBE), "--scheduler", "tcp://127.0.0.1:1"])
    assert code == 2
    said = capsys.readouterr().err
    assert "The Dask scheduler does not answer." in said
    assert "Traceback" not in said


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CouldNotRunError, match="The Dask client is not installed"), connected("tcp://x:1"):
        pass
