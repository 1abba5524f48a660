"""The same audit on a Dask cluster of two processes, one of which is killed on the way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tapgate.audit import pool
from tapgate.audit.pool import connected
from tapgate.cli import main
from tapgate.findings import CouldNotRunError
from tapgate.json_access import mapping, sequence
from tests.tapgate.audit.dask_cluster import REPOSITORY, scheduler, worker
from tests.tapgate.sample_state import exported, resource, root

pytestmark = [pytest.mark.cli, pytest.mark.usefixtures("backend")]
PROBE = Path(__file__).parents[1] / "fixtures" / "packs" / "probe"


def verdict(path: Path) -> dict[str, object]:
    return {**mapping(json.loads(path.read_text())), "made": ""}


def test_the_same_result_although_a_worker_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    states, results = tmp_path / "states", tmp_path / "results"
    states.mkdir()
    for number in range(24):
        body = exported([root(f"s{number}"), *(resource(f"r{n}", stack=f"s{number}") for n in range(2))])
        (states / f"{number}.json").write_bytes(body)
    (states / "broken.json").write_bytes(b"{")
    command = ["audit", str(states), "--policy-pack", str(PROBE), "--results", str(results)]
    # A worker that takes its time can be killed on the way.
    monkeypatch.setenv("PROBE_SECONDS", "0.25")
    with scheduler(tmp_path) as address, worker(tmp_path, "b"), worker(tmp_path, "a") as doomed:
        running = subprocess.Popen(
            [sys.executable, "-m", "tapgate", *command, "--verdict", str(tmp_path / "cluster.json"),
             "--scheduler", address],
            cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        deadline = time.monotonic() + 120
        while len(list(results.rglob("*.json"))) < 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        doomed.kill()
        assert len(list(results.rglob("*.json"))) < 24, "it was over before a worker could be killed"
        out, err = running.communicate(timeout=240)
    assert "Traceback" not in out + err
    assert running.returncode == 2, out + err
    assert "24 stacks with 72 resources audited, 0 blocked, 1 not audited" in out
    monkeypatch.delenv("PROBE_SECONDS")
    assert main([*command, "--workers", "1", "--fresh", "--verdict", str(tmp_path / "local.json")]) == 2
    assert "24 stacks with 72 resources audited" in capsys.readouterr().out
    assert verdict(tmp_path / "cluster.json") == verdict(tmp_path / "local.json")
    assert len(sequence(verdict(tmp_path / "local.json")["stacks"])) == 24


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
