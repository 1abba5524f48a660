"""Plain `pulumi preview` in the prepared environment says what the gate's session says."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tapgate.json_access import mapping, sequence, text
from tapgate.reports.verdict_file import from_json
from tests.program.recording import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tapgate.reports.verdict_file import VerdictFile

pytestmark = [pytest.mark.cli, pytest.mark.uncounted]

ROOT = PROGRAM.parent
PLAIN = "pulumi preview --policy-pack policypack"
BLOCKING = {"log-group-retention": {"maximumDays": 1}}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the program and the pack, with code for the functions."""
    folder = tmp_path / "project"
    ignored = shutil.ignore_patterns("venv")
    for name in ("program", "policypack"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for settings in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(settings, folder)
    (folder / "dist").mkdir()
    for name in ("api_handler", "processor"):
        shutil.make_archive(str(folder / "dist" / name), "zip", folder / "program", "tap_stack")
    (folder / "blocking.json").write_text(json.dumps(BLOCKING))
    return folder


def shell(script: str, env: Mapping[str, str], project: Path) -> subprocess.CompletedProcess[str]:
    """Run commands as a user types them: in the environment that `python -m tapgate env` prints."""
    backend = project.parent / "backend"
    backend.mkdir(exist_ok=True)
    python = shlex.quote(sys.executable)
    prepared = f"""set -e; cd {shlex.quote(str(ROOT))}; eval "$({python} -m tapgate env)"
        export PULUMI_BACKEND_URL={shlex.quote(backend.as_uri())}; cd {shlex.quote(str(project))}
        export PYTHONPATH={shlex.quote(str(ROOT))}; {script}"""
    return subprocess.run(
        ["bash", "-c", prepared], env=dict(env), capture_output=True, text=True, check=False, timeout=300
    )


def gate(more: str = "") -> str:
    return f"{shlex.quote(sys.executable)} -m tapgate preview --policy-pack policypack {more}"


def verdict(project: Path) -> VerdictFile:
    return from_json((project / "verdict.json").read_bytes())


def resources(document: Mapping[str, object]) -> dict[str, object]:
    """What a preview's document says of each resource, without what is made by chance."""
    said: dict[str, object] = {}
    for step in map(mapping, sequence(document["steps"])):
        state = mapping(step["newState"])
        kept = {name: state.get(name) for name in ("type", "inputs", "parent", "sourcePosition")}
        dependencies = mapping(state.get("propertyDependencies")).items()
        kept["propertyDependencies"] = {name: sorted(map(text, sequence(on))) for name, on in dependencies}
        said[text(step["urn"])] = kept
    return said


def test_a_plain_preview_says_what_the_session_says(engine_env: Mapping[str, str], project: Path) -> None:
    """The same of every resource, and blocked by the same where the config asks for more."""
    config = "--policy-pack-config blocking.json"
    said = shell(
        f"pulumi stack init dev --no-select >&2; "
        f"{gate(f'{config} --json session.json --verdict verdict.json')} >&2 || echo gate $?; "
        # The CLI knows --event-log only so.
        f"PULUMI_DEBUG_COMMANDS=true {PLAIN} {config} --stack dev --json --event-log events > plain.json",
        engine_env,
        project,
    )
    assert said.stdout == "gate 1\n", said.stdout + said.stderr
    assert said.returncode not in {0, 127}
    from_plain = resources(mapping(json.loads((project / "plain.json").read_text())))
    from_session = resources(mapping(json.loads((project / "session.json").read_text())))
    assert from_plain == from_session

    alarm = next(mapping(state) for urn, state in from_plain.items() if urn.endswith("::tap-dlq-depth"))
    assert mapping(alarm["inputs"])["metricName"] == "ApproximateNumberOfMessagesVisible"
    assert mapping(alarm["propertyDependencies"])["alarmActions"]
    assert "program/tap_stack/alarms.py#" in text(alarm["sourcePosition"])

    events = map(json.loads, (project / "events").read_text().splitlines())
    blocked = [mapping(event["policyEvent"]) for event in events if "policyEvent" in event]
    assert {event["policyPackName"] for event in blocked} == {"tap-guardrails"}
    (report,) = verdict(project).stacks
    found = [(finding.policy, finding.level, finding.urn) for finding in report.findings]
    assert {(policy, level) for policy, level, _ in found} == {("log-group-retention", "mandatory")}
    assert sorted(found) == sorted(
        (event["policyName"], event["enforcementLevel"], event["resourceUrn"]) for event in blocked
    )
