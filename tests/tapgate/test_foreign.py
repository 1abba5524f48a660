"""Other teams' projects, gated by the steps that docs/org-wide.md gives, from an empty folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tapgate.json_access import mapping, sequence, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REPOSITORY = Path(__file__).parents[2]
FOREIGN = Path(__file__).parent / "fixtures" / "foreign"
DOCUMENTED = "python -m tapgate preview --project PROJECT --stack STACK --policy-pack policypack"
SCRIPT = "guardrails/.ci/gate --project PROJECT --stack STACK"


@dataclass(frozen=True)
class Shape:
    """One team's project, and how its author could get a control wrong.

    Attributes:
        file: Where the control is given.
        right: How it is given.
        wrong: What is written there instead.
        policy: The policy that blocks it then.
        found: Where the gate points to: a file, and the text of the line in it.
        regions: Those of its providers.
    """

    file: str
    right: str
    wrong: str
    policy: str
    found: tuple[str, str]
    regions: tuple[str, ...] = ("eu-west-2",)

    def place(self, project: Path) -> str:
        file, line = self.found
        lines = (project / file).read_text(encoding="utf-8").splitlines()
        return f"program   {file}:{next(number for number, text in enumerate(lines, 1) if line in text)}"


SHAPES = {
    "yaml": Shape(
        "Pulumi.yaml",
        "enableKeyRotation: true",
        "enableKeyRotation: false",
        "kms-key-rotation",
        ("Pulumi.yaml", "enableKeyRotation"),
    ),
    "python": Shape(
        "__main__.py",
        "enable_key_rotation=True,\n    tags",
        "enable_key_rotation=False,\n    tags",
        "kms-key-rotation",
        ("__main__.py", "enable_key_rotation"),
        ("eu-north-1", "eu-west-1"),
    ),
    "component": Shape(
        "Pulumi.yaml",
        "rotated: true",
        "rotated: false",
        "kms-key-rotation",
        ("parts/__main__.py", "enable_key_rotation"),
    ),
    # In a folder of its own by `main`, without a Pulumi.<stack>.yaml, with providers for two regions.
    "service": Shape(
        "stack/Main.yaml",
        "{mode: Active}",
        "{mode: PassThrough}",
        "lambda-xray-tracing",
        ("stack/Main.yaml", "tracingConfig"),
        ("eu-central-1", "eu-west-1"),
    ),
}


def run(
    command: Sequence[str], environment: Mapping[str, str], folder: Path = REPOSITORY
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=dict(environment), capture_output=True, text=True, check=False
    )


def foreign(folder: Path, name: str) -> Path:
    return Path(shutil.copytree(FOREIGN / name, folder / "infrastructure"))


def gate(project: Path, environment: Mapping[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    """Run the documented command, word for word."""
    assert DOCUMENTED in (REPOSITORY / "docs" / "org-wide.md").read_text(encoding="utf-8")
    words = DOCUMENTED.replace("PROJECT", str(project)).replace("STACK", "dev").split()
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return run([*words, *more], {**environment, "PATH": path})


@pytest.mark.cli
@pytest.mark.uncounted
@pytest.mark.parametrize("name", SHAPES)
def test_a_foreign_project_is_gated_by_the_documented_command(
    engine_env: Mapping[str, str], tmp_path: Path, name: str
) -> None:
    shape = SHAPES[name]
    project = foreign(tmp_path, name)
    right = (project / shape.file).read_text(encoding="utf-8")
    assert shape.right in right
    (project / shape.file).write_text(right.replace(shape.right, shape.wrong), encoding="utf-8")
    files = listed(project)
    blocked = gate(project, engine_env)
    assert blocked.returncode == 1, blocked.stderr
    assert re.findall(r"^BLOCKED  (\S+)", blocked.stdout, re.MULTILINE) == [shape.policy]
    assert shape.place(project) in blocked.stdout
    said = " ".join(blocked.stdout.split())
    assert sorted(re.findall(r"region ([a-z0-9-]+)\)", said)) == list(shape.regions)
    assert listed(project) == files
    # As they are, "python" passes the pipeline's script, and those with secrets what is in YAML.


def listed(project: Path) -> list[Path]:
    return sorted(path for path in project.rglob("*") if "__pycache__" not in path.parts)


def passes(done: subprocess.CompletedProcess[str], shape: Shape) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"✓ {shape.policy}" in done.stdout
    said = " ".join(done.stdout.split())
    assert sorted(re.findall(r"region ([a-z0-9-]+)\)", said)) == list(shape.regions)


# "secure-cloud" is gated in an empty home, by the wheel's test; a salt is in "secure-passphrase" as well.
SECRETS = ("secure-passphrase", "kms-provider-only")


@pytest.mark.cli
@pytest.mark.uncounted
@pytest.mark.parametrize("name", SECRETS)
def test_nobody_asks_for_what_opens_the_secrets_of_a_stack(
    engine_env: Mapping[str, str], tmp_path: Path, name: str
) -> None:
    project = foreign(tmp_path, name)
    files = {path: path.read_bytes() for path in project.rglob("*")}
    passed = gate(project, engine_env, "--stack", "prod")
    assert passed.returncode == 0, passed.stderr
    assert "✓ kms-key-rotation" in passed.stdout
    assert ("stand in: app:dbPassword" in " ".join(passed.stdout.split())) == name.startswith("secure")
    assert {path: path.read_bytes() for path in project.rglob("*")} == files


MISSPELT = """\
name: wrong
runtime: yaml
resources:
  k: {type: aws:kms:Key, properties: {enableKeyRotaton: true}}
  l: {type: aws:cloudwatch:LogGroup, properties: {retentionInDays: [3]}}
"""


@pytest.mark.cli
@pytest.mark.uncounted
def test_a_yaml_program_that_says_what_aws_does_not_have_is_refused(
    engine_env: Mapping[str, str], tmp_path: Path
) -> None:
    """By the schema that the stand-in gives; what else is in it is tested beside its generator."""
    (tmp_path / "Pulumi.yaml").write_text(MISSPELT)
    refused = gate(tmp_path, engine_env)
    assert refused.returncode == 2, refused.stdout
    assert "Traceback" not in refused.stderr
    assert "Property enableKeyRotaton does not exist on 'aws:kms/key:Key'" in refused.stderr
    assert "on Pulumi.yaml line 4:" in refused.stderr
    assert "retentionInDays: Cannot assign 'List<number>' to 'integer'" in refused.stderr


@pytest.mark.cli
@pytest.mark.uncounted
def test_what_a_program_deploys_has_to_be_built_first(engine_env: Mapping[str, str], tmp_path: Path) -> None:
    refused = gate(foreign(tmp_path, "missing-asset"), engine_env)
    assert refused.returncode == 2
    assert "build/f.zip, which is not there: build it first." in refused.stderr
    assert " | " not in refused.stderr


RAISES = """\
import pulumi_aws as aws

aws.kms.Key("key", enable_key_rotation=True)
raise ValueError("no such region")
"""
MISTYPED = """\
import pulumi_aws as aws

aws.lambda_.Function("f", role="r", timeout="soon", tracing_config={"mod": "Active"})
"""


@pytest.mark.cli
@pytest.mark.uncounted
@pytest.mark.parametrize(
    ("program", "said"),
    [
        (RAISES, ["ValueError: no such region", "__main__.py:4"]),
        (
            MISTYPED,
            ["no property `tracingConfig.mod`", "did you mean `mode`?", "`timeout` has the wrong type"],
        ),
    ],
)
def test_a_python_program_that_is_wrong_is_refused(
    engine_env: Mapping[str, str], tmp_path: Path, program: str, said: list[str]
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: wrong-python\nruntime: python\nmain: program\n")
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "__main__.py").write_text(program)
    refused = gate(tmp_path, engine_env)
    assert refused.returncode == 2, refused.stdout
    assert "PASSED" not in refused.stdout
    assert "Traceback" not in refused.stderr
    for words in said:
        assert words in refused.stderr


@pytest.mark.cli
@pytest.mark.uncounted
def test_the_pipelines_script_brings_its_own_environment(
    script_env: Mapping[str, str], tmp_path: Path
) -> None:
    project = foreign(tmp_path, "python")
    # The script would make the environment that this asks for, which is an empty one.
    (project / "requirements.txt").unlink()
    (tmp_path / "guardrails").symlink_to(REPOSITORY)
    assert SCRIPT in (REPOSITORY / "docs" / "org-wide.md").read_text(encoding="utf-8")
    files = listed(project)
    command = SCRIPT.replace("PROJECT", "infrastructure").replace("STACK", "dev").split()
    passes(run(command, script_env, tmp_path), SHAPES["python"])
    assert listed(project) == files


def test_workflow_job_and_hook_call_the_script_that_is_there() -> None:
    workflow = mapping(yaml.safe_load((REPOSITORY / ".github" / "workflows" / "gate.yml").read_text()))
    steps = [mapping(one) for one in sequence(mapping(mapping(workflow["jobs"])["preview"])["steps"])]
    scripts = [text(step.get("run")) for step in steps]
    assert any("guardrails/.ci/gate-all" in script for script in scripts)
    assert not any("${{" in script for script in scripts)
    jobs = mapping(yaml.safe_load((REPOSITORY / "docs" / "gitlab-gate.yml").read_text()))
    for name, script in (("policy-gate", "gate-all"), ("policy-toolchain", "gate")):
        lines = map(str, sequence(mapping(jobs[name])["script"]))
        assert any(f"$clean /opt/guardrails/.ci/{script} " in line for line in lines)
        assert os.access(REPOSITORY / ".ci" / script, os.X_OK)
    (hook,) = sequence(yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text()))
    assert os.access(REPOSITORY / text(mapping(hook)["entry"]), os.X_OK)
