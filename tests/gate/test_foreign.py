"""Other teams' projects, gated by the steps that docs/org-wide.md gives, from an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from gate.document import mapping, sequence, text

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).parents[2]
FOREIGN = Path(__file__).parent / "fixtures" / "foreign"
DOCUMENTED = (
    "python -m local exec -- python -m gate preview --project PROJECT --stack STACK --policy-pack policypack"
)

PLACES = {
    "python": "program   __main__.py:10",
    "component": "program   parts/__main__.py:20",
    "yaml": "program   Pulumi.yaml:8",
}


def run(
    command: list[str], environment: Mapping[str, str], folder: Path = REPOSITORY
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=dict(environment), capture_output=True, text=True, check=False
    )


@pytest.mark.cli
@pytest.mark.parametrize(
    "shape",
    [
        "python",
        "component",
        pytest.param(
            "yaml",
            marks=pytest.mark.xfail(
                reason="the stand-in provider has no schema for YAML programs yet", strict=False
            ),
        ),
    ],
)
def test_a_foreign_project_is_gated_by_the_documented_command(
    engine_env: Mapping[str, str], tmp_path: Path, shape: str
) -> None:
    assert DOCUMENTED in (REPOSITORY / "docs" / "org-wide.md").read_text(encoding="utf-8")
    project = tmp_path / "infrastructure"
    shutil.copytree(FOREIGN / shape, project)
    words = DOCUMENTED.replace("PROJECT", str(project)).replace("STACK", "dev").split()
    environment = {**engine_env, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{engine_env['PATH']}"}
    blocked = run(words, environment)
    assert blocked.returncode == 1, blocked.stderr
    assert "BLOCKED  kms-key-rotation" in blocked.stdout
    assert PLACES[shape] in blocked.stdout
    for file in (project / "Pulumi.yaml", project / "__main__.py"):
        if file.is_file():
            body = file.read_text().replace("rotation=False", "rotation=True")
            file.write_text(
                body.replace("Rotation: false", "Rotation: true").replace("rotated: false", "rotated: true")
            )
    passed = run(words, environment)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "✓ kms-key-rotation" in passed.stdout


@pytest.mark.cli
def test_the_pipelines_script_brings_its_own_environment(
    engine_env: Mapping[str, str], tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    (environment / "bin").mkdir(parents=True)
    python = environment / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (environment / "ready").touch()
    shutil.copytree(FOREIGN / "python", tmp_path / "infrastructure")
    done = run(
        [str(REPOSITORY / ".ci" / "gate"), "--project", "infrastructure"],
        {**engine_env, "GATE_ENVIRONMENT": str(environment), "GATE_PYTHON": sys.executable},
        tmp_path,
    )
    assert done.returncode == 1, done.stderr
    assert "BLOCKED  kms-key-rotation" in done.stdout


def test_workflow_job_and_hook_call_the_script_that_is_there() -> None:
    workflow = mapping(yaml.safe_load((REPOSITORY / ".github" / "workflows" / "gate.yml").read_text()))
    steps = [mapping(one) for one in sequence(mapping(mapping(workflow["jobs"])["preview"])["steps"])]
    scripts = [text(step.get("run")) for step in steps]
    assert any("guardrails/.ci/gate" in script for script in scripts)
    assert not any("${{" in script for script in scripts)
    job = mapping(
        mapping(yaml.safe_load((REPOSITORY / "docs" / "gitlab-gate.yml").read_text()))["policy-gate"]
    )
    assert any("/opt/guardrails/.ci/gate" in str(line) for line in sequence(job["script"]))
    (hook,) = sequence(yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text()))
    assert os.access(REPOSITORY / text(mapping(hook)["entry"]), os.X_OK)
