"""The reusable workflow's own scripts, run as a runner runs them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).parents[2]
PROGRAM = """
import pulumi_aws as aws

aws.kms.Key("orders-key", enable_key_rotation=False)
"""
WORKFLOW = REPOSITORY / ".github" / "workflows" / "gate.yml"
JOB: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["preview"]
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in JOB["steps"] if "name" in step}


def step(name: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a step the way GitHub does where the workflow names no shell."""
    return subprocess.run(
        ["bash", "-e", "-c", STEPS[name]["run"]],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def runner(script_env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """What a runner has: the caller's repository and this one, here with an environment that is ready."""
    project = tmp_path / "caller" / "infra"
    project.mkdir(parents=True)
    (project / "Pulumi.yaml").write_text("name: orders\nruntime: python\n")
    (project / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-west-1\n")
    (project / "__main__.py").write_text(PROGRAM)
    (tmp_path / "guardrails").symlink_to(REPOSITORY)
    return script_env


@pytest.mark.cli
@pytest.mark.uncounted
def test_a_callers_project_is_gated_and_its_findings_are_kept(runner: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "caller" / "packs.json").write_text('{"kms-key-rotation": {"maximumRotationDays": 180}}')
    summary = tmp_path / "summary.md"
    runner |= {
        "GITHUB_STEP_SUMMARY": str(summary),
        "PROJECT": "infra",
        "STACK": "dev",
        "CONFIG": "packs.json",
    }
    assert STEPS["Preview with the pack"]["env"].keys() == {"PROJECT", "STACK", "CONFIG"}
    blocked = step("Preview with the pack", tmp_path, runner)
    assert blocked.returncode == 1, blocked.stdout + blocked.stderr
    assert "BLOCKED  kms-key-rotation" in blocked.stdout
    results = json.loads((tmp_path / "gate.sarif").read_text())["runs"][0]["results"]
    places = {one["physicalLocation"]["artifactLocation"]["uri"] for r in results for one in r["locations"]}
    assert "infra/__main__.py" in places
    assert (tmp_path / "gate.html").is_file()
    assert step("Summary", tmp_path, runner).returncode == 0
    assert "kms-key-rotation" in summary.read_text()
    (tmp_path / "gate.md").unlink()
    assert step("Summary", tmp_path, runner).returncode == 0


def test_it_takes_no_secret_and_may_only_read() -> None:
    body = WORKFLOW.read_text(encoding="utf-8")
    assert "secrets" not in body.replace("no secrets", "")
    assert yaml.safe_load(body)["permissions"] == {"contents": "read"}
    assert "permissions" not in JOB
