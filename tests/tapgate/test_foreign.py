"""Other teams' projects, gated by the steps that docs/org-wide.md gives, from an empty folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tapgate.cli import main
from tapgate.json_access import mapping, sequence, text

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    # With a secret that a passphrase opens, of which there is but the salt.
    "yaml": Shape(
        "Pulumi.yaml",
        "enableKeyRotation: true",
        "enableKeyRotation: false",
        "kms-key-rotation",
        ("Pulumi.yaml", "enableKeyRotation"),
        ("us-east-1",),
    ),
    "python": Shape(
        "__main__.py",
        "enable_key_rotation=True,\n    tags",
        "enable_key_rotation=False,\n    tags",
        "kms-key-rotation",
        ("__main__.py", "enable_key_rotation"),
        ("eu-north-1", "eu-west-1"),
    ),
    # With secrets that a key in AWS opens.
    "component": Shape(
        "Pulumi.yaml",
        "rotated: true",
        "rotated: false",
        "kms-key-rotation",
        ("parts/__main__.py", "enable_key_rotation"),
        ("us-east-1",),
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


def foreign(folder: Path, name: str) -> Path:
    return Path(shutil.copytree(FOREIGN / name, folder / "infrastructure"))


Gate = Callable[[Path], tuple[int, str, str]]


@pytest.fixture
def gate(backend: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gate:
    """The documented command, word for word, in this process: exit code, output, errors."""
    assert backend
    assert DOCUMENTED in (REPOSITORY / "docs" / "org-wide.md").read_text(encoding="utf-8")
    monkeypatch.chdir(REPOSITORY)

    def run(project: Path) -> tuple[int, str, str]:
        words = DOCUMENTED.replace("PROJECT", str(project)).replace("STACK", "dev").split()
        code = main(words[3:])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def script(script_env: Mapping[str, str], tmp_path: Path) -> Gate:
    """The pipeline's script, which brings its own environment."""
    (tmp_path / "guardrails").symlink_to(REPOSITORY)
    assert SCRIPT in (REPOSITORY / "docs" / "org-wide.md").read_text(encoding="utf-8")

    def run(project: Path) -> tuple[int, str, str]:
        # The script would make the environment that this asks for, which is an empty one.
        (project / "requirements.txt").unlink()
        command = SCRIPT.replace("PROJECT", project.name).replace("STACK", "dev").split()
        done = subprocess.run(
            command, cwd=tmp_path, env=dict(script_env), capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    return run


def listed(project: Path) -> dict[Path, bytes]:
    files = (path for path in project.rglob("*") if "__pycache__" not in path.parts and path.is_file())
    return {path: path.read_bytes() for path in files}


@pytest.mark.cli
@pytest.mark.uncounted
@pytest.mark.parametrize("name", SHAPES)
def test_a_foreign_project_is_gated_by_the_documented_command(
    request: pytest.FixtureRequest, tmp_path: Path, name: str
) -> None:
    """Without what opens the secrets of its stack. As they are, projects pass in the wheel's test."""
    shape, run = SHAPES[name], request.getfixturevalue("script" if name == "python" else "gate")
    project = foreign(tmp_path, name)
    right = (project / shape.file).read_text(encoding="utf-8")
    assert shape.right in right
    (project / shape.file).write_text(right.replace(shape.right, shape.wrong), encoding="utf-8")
    files = listed(project)
    code, out, err = run(project)
    assert code == 1, err
    assert re.findall(r"^BLOCKED  (\S+)", out, re.MULTILINE) == [shape.policy]
    assert shape.place(project) in out
    said = " ".join(out.split())
    assert sorted(re.findall(r"region ([a-z0-9-]+)\)", said)) == list(shape.regions)
    assert ("stand in: accounts:dbPassword" in said) == (name == "yaml")
    files.pop(project / "requirements.txt", None)
    assert listed(project) == files


@pytest.mark.cli
@pytest.mark.uncounted
def test_what_is_said_plainly_is_found_and_a_function_that_is_waited_for_needs_no_destination(
    evaluated: Callable[[Path], tuple[int, set[tuple[str, str, str]], str]], tmp_path: Path
) -> None:
    code, findings, said = evaluated(foreign(tmp_path, "said-plainly"))
    assert code == 1, said
    found = {policy: {name for of, name, _ in findings if of == policy} for policy, _, _ in findings}
    assert found["no-plaintext-secrets"] == {"db", "github", "version", "web"}
    assert found["lambda-error-alarm"] == {"fn"}
    assert "lambda-failure-destination" not in found


MISSPELT = """\
name: wrong
runtime: yaml
resources:
  k: {type: aws:kms:Key, properties: {enableKeyRotaton: true}}
  l: {type: aws:cloudwatch:LogGroup, properties: {retentionInDays: [3]}}
"""


@pytest.mark.cli
@pytest.mark.uncounted
def test_a_yaml_program_that_says_what_aws_does_not_have_is_refused(gate: Gate, tmp_path: Path) -> None:
    """By the schema that the stand-in gives; what else is in it is tested beside its generator."""
    (tmp_path / "Pulumi.yaml").write_text(MISSPELT)
    code, out, err = gate(tmp_path)
    assert code == 2, out
    assert "Traceback" not in err
    assert "Property enableKeyRotaton does not exist on 'aws:kms/key:Key'" in err
    assert "on Pulumi.yaml line 4:" in err
    assert "retentionInDays: Cannot assign 'List<number>' to 'integer'" in err


@pytest.mark.cli
@pytest.mark.uncounted
def test_what_a_program_deploys_has_to_be_built_first(gate: Gate, tmp_path: Path) -> None:
    code, _, err = gate(foreign(tmp_path, "missing-asset"))
    assert code == 2
    assert "build/f.zip, which is not there: build it first." in err
    assert " | " not in err


MISTYPED = """\
import pulumi_aws as aws

aws.lambda_.Function("f", role="r", timeout="soon", tracing_config={"mod": "Active"})
"""


@pytest.mark.cli
@pytest.mark.uncounted
def test_a_python_program_that_is_wrong_is_refused(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: wrong-python\nruntime: python\nmain: program\n")
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "__main__.py").write_text(MISTYPED)
    code, out, err = gate(tmp_path)
    assert code == 2, out
    assert "PASSED" not in out
    assert "Traceback" not in err
    for words in ("no property `tracingConfig.mod`", "did you mean `mode`?", "`timeout` has the wrong type"):
        assert words in err


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
