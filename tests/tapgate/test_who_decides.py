"""What is judged does not choose its judge: packs, engine options, plug-ins, configs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tapgate.engine import quiet_environment, take_out_steering
from tapgate.failure import CouldNotRunError
from tapgate.project import OPERATORS_CHOICES, check_choices, find_project

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
KEYS = """\
name: bad
runtime: yaml
resources:
  key: {type: "aws:kms:Key"}
  good: {type: "aws:kms:Key", properties: {enableKeyRotation: true}}
"""
PACK = """\
from pulumi_policy import PolicyPack, ResourceValidationPolicy

PolicyPack("tap-guardrails", policies=[
    ResourceValidationPolicy(name="kms-key-rotation", description="x", validate=lambda args, report: None)
])
"""


def gate(project: Path, environment: Mapping[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tapgate", "preview", *more],
        cwd=project,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.cli
@pytest.mark.uncounted
def test_neither_the_projects_pack_nor_the_environment_changes_the_judge(
    engine_env: Mapping[str, str], tmp_path: Path
) -> None:
    """One run: the project's own pack, options for another pack, its config and other targets."""
    (tmp_path / "Pulumi.yaml").write_text(KEYS)
    own = tmp_path / "policypack"
    own.mkdir()
    (own / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 9.9.9\n")
    (own / "__main__.py").write_text(PACK)
    (tmp_path / "off.json").write_text('{"all": "disabled"}')
    steered = {
        "PULUMI_OPTION_POLICY_PACK_CONFIG": str(tmp_path / "off.json"),
        "PULUMI_OPTION_POLICY_PACK": str(own),
        "PULUMI_OPTION_TARGET": "urn:pulumi:dev::bad::aws:kms/key:Key::good",
        "PULUMI_DEBUG_PROVIDERS": "aws:1",
    }
    verdict = tmp_path / "verdict.json"
    blocked = gate(tmp_path, {**engine_env, **steered}, "--verdict", str(verdict))
    assert blocked.returncode == 1, blocked.stdout + blocked.stderr
    assert "BLOCKED  kms-key-rotation" in blocked.stdout
    said = " ".join(blocked.stdout.split())
    assert "the project's own policypack/ is not evaluated" in said
    for name in steered:
        assert f"{name} is left out of the engine's environment" in said
    (stack,) = json.loads(verdict.read_text())["stacks"]
    (pack,) = stack["packs"]
    assert (pack["path"], pack["config"]) == (str(ROOT / "policypack"), "none: the pack's defaults")


def test_a_variable_that_steers_the_engine_never_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_OPTION_PARALLEL", "1")
    monkeypatch.setenv("PULUMI_DEBUG_GRPC", "/x")
    assert {name for name in quiet_environment() if name.startswith(("PULUMI_OPTION_", "PULUMI_DEBUG_"))} == {
        "PULUMI_DEBUG_COMMANDS"
    }
    assert "PULUMI_OPTION_PARALLEL" in os.environ
    variables = {"PULUMI_OPTIONS": "x", "PULUMI_HOME": "x", "PULUMI_OPTION_": "x"}
    (note,) = take_out_steering(variables)
    assert note.startswith("PULUMI_OPTION_ is left out")
    assert sorted(variables) == ["PULUMI_HOME", "PULUMI_OPTIONS"]


CHOICES = {
    "plugins": [
        {"plugins": {"languages": [{"name": "python", "path": "./evil"}]}},
        {"Plugins": {"providers": [{"name": "aws", "path": "./evil"}]}},
        {"plugins": {"analyzers": [{"name": "policy", "path": "x"}]}},
    ],
    "compiler": [
        {"runtime": {"name": "yaml", "options": {"compiler": "./evil"}}},
        {"runtime": {"name": "yaml", "options": {"Compiler": "cue export"}}},
    ],
    "pluginDownloadURL": [
        {"resources": {"k": {"type": "x:y:Z", "options": {"pluginDownloadURL": "https://evil"}}}},
        {"resources": {"p": {"type": "pulumi:providers:aws", "options": {"PluginDownloadUrl": "x"}}}},
        {"variables": {"v": {"fn::invoke": {"function": "x", "options": {"pluginDownloadURL": "x"}}}}},
        {"packages": [{"name": "x", "pluginDownloadURL": "x"}]},
    ],
}


@pytest.mark.parametrize(
    ("key", "body"), [(key, body) for key, bodies in CHOICES.items() for body in bodies], ids=str
)
def test_what_the_operator_has_to_decide_is_refused(
    tmp_path: Path, key: str, body: dict[str, object]
) -> None:
    file = tmp_path / "Pulumi.yaml"
    file.write_text(yaml.safe_dump({"name": "x", "runtime": "yaml", **body}))
    project = find_project(tmp_path)
    with pytest.raises(CouldNotRunError) as refused:
        check_choices(project)
    assert key in refused.value.what
    assert refused.value.where == str(file)
    assert refused.value.why == OPERATORS_CHOICES[key]
    assert f"--allow-in-project {key}" in refused.value.fix
    check_choices(project, [key])


def test_a_program_in_a_file_of_its_own_is_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: yaml\nmain: stack\n")
    (tmp_path / "stack").mkdir()
    program = tmp_path / "stack" / "Main.yaml"
    program.write_text("resources: {k: {type: a:b:C, options: {pluginDownloadURL: x}}}\n")
    with pytest.raises(CouldNotRunError) as refused:
        check_choices(find_project(tmp_path))
    assert refused.value.where == str(program)


@pytest.mark.parametrize(
    "body",
    [
        "plugins: {}\n",
        "runtime: {name: python, options: {virtualenv: .venv, toolchain: uv}}\n",
        "description: plugins and pluginDownloadURL\n",
        "packages: {tap: ./program}\n",
    ],
)
def test_what_decides_nothing_is_let_through(tmp_path: Path, body: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(
        f"name: x\n{body}" + ("" if "runtime" in body else "runtime: python\n")
    )
    check_choices(find_project(tmp_path))
