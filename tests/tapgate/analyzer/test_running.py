"""Packs over the Analyzer protocol, held equal to `pulumi policy analyze`."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapgate.analyzer.deployment import Deployment, begin, read_deployment
from tapgate.analyzer.process import PackProcess
from tapgate.analyzer.running import RunningPack, evaluate
from tapgate.assemble import require_evaluated
from tapgate.events import EventLog, PolicyEvent, read_events
from tapgate.findings import CouldNotRunError
from tapgate.packs import RequestedPack
from tests.tapgate.sample_state import exported, resource, root, urn

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.cli, pytest.mark.usefixtures("backend")]
PACKS = Path(__file__).parents[1] / "fixtures" / "packs"
ROOT = urn("shop-dev", "pulumi:pulumi:Stack")
STATE = exported([root(), resource("a", inputs={"x": 1}), resource("b", parent=ROOT)])


def requested(name: str, **config: object) -> RequestedPack:
    body = {key.replace("_", "-"): value for key, value in config.items()}
    return RequestedPack(PACKS / name, None, body)


def asked(deployment: Deployment, pack: RunningPack) -> EventLog:
    return evaluate(begin(deployment), deployment, [pack])


def engines_findings(folder: Path, state: bytes, pack: RequestedPack) -> list[PolicyEvent]:
    """What `pulumi policy analyze` finds."""
    (folder / "state.json").write_bytes(state)
    (folder / "config.json").write_text(json.dumps(pack.body))
    done = subprocess.run(
        ["pulumi", "policy", "analyze", "--json", "--file", "state.json", "--policy-pack", str(pack.folder)]
        + (["--policy-pack-config", "config.json"] if pack.body else []),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    log = read_events(done.stdout.splitlines())
    assert log.result, done.stderr
    return sorted(log.findings, key=repr)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {
            "probe_resource": {"say": "violation"},
            "probe_stack": {"say": "free", "enforcementLevel": "advisory"},
        },
        {"all": "advisory", "probe_resource": {"say": "undecided", "enforcementLevel": "remediate"}},
        {"probe_stack": {"say": "violation", "enforcementLevel": "remediate"}, "probe_resource": "disabled"},
    ],
)
def test_the_same_as_the_engine(tmp_path: Path, config: dict[str, object]) -> None:
    pack = requested("probe", **config)
    running = RunningPack(pack)
    with running:
        log = asked(read_deployment(STATE, "f"), running)
    assert sorted(log.findings, key=repr) == engines_findings(tmp_path, STATE, pack)


def test_evidence_of_what_passed_and_what_does_not_apply() -> None:
    running = RunningPack(requested("probe", probe_stack={"say": "violation"}))
    with running:
        assert (running.info.name, running.severities["probe-resource"]) == ("probe", "high")
        log = asked(read_deployment(STATE, "f"), running)
    require_evaluated(log, [requested("probe")], allow_empty=False)
    assert [one.passed for one in log.analyzed] == [("probe-resource",), (), ()]
    assert [(one.passed, one.failed) for one in log.stack_analyzed] == [((), ("probe-stack",))]
    assert log.offered == {"probe": {"probe-resource"}}
    assert [*log.packs.values()] == ["1.2.3"]
    assert [(one.urn, one.severity) for one in log.findings] == [(ROOT, "")]


def test_a_finding_without_a_resource_belongs_to_the_stack_even_if_the_state_lacks_that() -> None:
    running = RunningPack(requested("probe", probe_stack={"say": "violation"}))
    with running:
        log = asked(read_deployment(exported([resource("a")]), "f"), running)
    assert [one.urn for one in log.findings] == [ROOT]


@pytest.fixture(scope="module")
def probe() -> Iterator[RunningPack]:
    running = RunningPack(requested("probe"))
    with running:
        yield running


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.text(), values, max_size=4), st.text())
def test_any_properties_reach_the_pack(probe: RunningPack, properties: dict[str, object], name: str) -> None:
    state = exported([root(), resource(name, inputs=properties, outputs=properties, provider=name)])
    log = asked(read_deployment(state, "f"), probe)
    assert len(log.analyzed) == 2


def test_a_policy_that_raises_and_a_pack_that_dies() -> None:
    running = RunningPack(requested("probe", probe_resource={"say": "raise"}))
    with running:
        with pytest.raises(CouldNotRunError, match="The policy pack does not run") as caught:
            asked(read_deployment(STATE, "f"), running)
        assert "the rule is broken" in caught.value.details[0]
        assert running.alive
    running = RunningPack(requested("probe", probe_stack={"say": "exit"}))
    with running:
        with pytest.raises(CouldNotRunError, match="The policy pack does not run"):
            asked(read_deployment(STATE, "f"), running)
        assert not running.alive


@pytest.mark.parametrize("name", ["broken", "empty"])
def test_a_pack_that_does_not_start_says_why(name: str) -> None:
    with pytest.raises(CouldNotRunError, match="The policy pack does not run") as caught:
        PackProcess(PACKS / name)
    assert caught.value.where == str(PACKS / name)
    assert "its requirements must be installed" in caught.value.fix
    assert not any("Traceback" in line for line in caught.value.details)


def test_no_language_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CouldNotRunError, match="The language host for python is missing"):
        PackProcess(PACKS / "probe")
    host = tmp_path / "pulumi-language-python"
    host.write_text("#!/bin/sh\necho no port\n")
    host.chmod(0o755)
    with pytest.raises(CouldNotRunError, match="The policy pack does not run") as caught:
        PackProcess(PACKS / "probe")
    assert "did not say its port" in caught.value.details[0]


def children() -> set[str]:
    """Command lines of every process that runs a pack."""
    found = set[str]()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_text().replace("\0", " ")
        except OSError:
            continue
        if "pulumi.policy" in words or "pulumi-language-python" in words:
            found.add(f"{path.parent.name} {words}")
    return {one for one in found if f" {os.getpid()} " not in one}


def test_nothing_is_left_running() -> None:
    before = children()
    running = RunningPack(requested("probe"))
    ours = children() - before
    assert ours
    running.close()
    running.close()
    deadline = time.monotonic() + 60
    while children() & ours and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not children() & ours


def test_a_pack_whose_config_is_refused_is_not_left_running(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []

    def refuse(*_: object) -> None:
        raise CouldNotRunError("no", where="", why="", fix="")

    def close(process: PackProcess) -> None:
        closed.append(True)
        real(process)

    real = PackProcess.close
    monkeypatch.setattr(PackProcess, "ask", refuse)
    monkeypatch.setattr(PackProcess, "close", close)
    with pytest.raises(CouldNotRunError):
        RunningPack(requested("probe"))
    assert closed == [True]


def test_levels_are_frozen_into_what_is_enabled() -> None:
    running = RunningPack(requested("probe", all="disabled", probe_stack="mandatory"))
    with running:
        log = asked(read_deployment(STATE, "f"), running)
    assert log.stack_analyzed[0].passed == ("probe-stack",)
    assert all(not one.passed for one in log.analyzed)
