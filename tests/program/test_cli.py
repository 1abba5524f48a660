"""The programs, YAML and Python, as the real CLI previews them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tapgate.embedded.prepare import ensure_stacks
from tests.program.recording import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = [pytest.mark.cli, pytest.mark.uncounted]

ROOT = PROGRAM.parent
PYTHON_PROGRAM = Path(__file__).parent / "python_program"


def pulumi(
    project: Path, env: Mapping[str, str], *command: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["pulumi", *command, "--non-interactive"],
        cwd=project,
        env=dict(env),
        capture_output=True,
        text=True,
        check=check,
        timeout=300,
    )


@pytest.fixture
def env(engine_env: Mapping[str, str], tmp_path: Path) -> dict[str, str]:
    """The prepared environment, with a backend of the test's own."""
    backend = tmp_path / "backend"
    backend.mkdir()
    return {**engine_env, "PULUMI_BACKEND_URL": backend.as_uri(), "PYTHONPATH": str(PROGRAM)}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the YAML program with code for the functions."""
    folder = tmp_path / "project"
    # With its bytecode: each start of a copy would compile it again.
    shutil.copytree(PROGRAM, folder / "program")
    for settings in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(settings, folder)
    (folder / "dist").mkdir()
    for name in ("api_handler", "processor"):
        shutil.make_archive(str(folder / "dist" / name), "zip", folder / "program", "tap_stack")
    return folder


def make_stack(project: Path, env: Mapping[str, str], stack: str) -> None:
    ensure_stacks([stack], project, Path(env["PULUMI_BACKEND_URL"].removeprefix("file://")))


CONFIG = """config:
  tap-stack:deletionProtection: "false"
  tap-stack:logRetentionInDays: 90
  tap-stack:architecture: x86_64
  tap-stack:permissionsBoundary: arn:aws:iam::123456789012:policy/boundary
  tap-stack:tags: {Team: tap}
"""


def planned(project: Path, env: Mapping[str, str], stack: str) -> dict[str, dict[str, object]]:
    """What a preview plans: the resources' inputs by URN."""
    document = cast(
        "dict[str, list[dict[str, dict[str, object]]]]",
        json.loads(pulumi(project, env, "preview", "--json", "--stack", stack).stdout),
    )
    return {
        cast("str", step["urn"]): {
            key: value
            for key, value in cast("dict[str, object]", step["newState"].get("inputs") or {}).items()
            if key != "__defaults"
        }
        for step in document["steps"]
        if not cast("str", step["urn"]).rsplit("::", 2)[1].startswith("pulumi:")
    }


def test_yaml_and_python_programs_plan_the_same_of_their_config(
    project: Path, env: Mapping[str, str]
) -> None:
    """Also that the stack is production, which only its name says."""
    stack = "TapStackprod"
    make_stack(project, env, stack)
    (project / f"Pulumi.{stack}.yaml").write_text(CONFIG)
    secret = ("--secret", "notificationEmail", "on-call@tap.test")
    pulumi(project, env, "config", "set", *secret, "--stack", stack)
    from_yaml = planned(project, env, stack)
    for file in PYTHON_PROGRAM.iterdir():
        shutil.copy(file, project)
    assert planned(project, env, stack) == from_yaml
    assert len(from_yaml) == 40
    short = {urn.rpartition("::")[2]: inputs for urn, inputs in from_yaml.items()}
    # As the config says, and not as it is in production where nothing does.
    table = short["tap-metadata-table"]
    assert (table["name"], table["deletionProtectionEnabled"]) == ("tap-metadata-prod", False)
    assert short["tap-key"]["deletionWindowInDays"] == 7
    assert cast("dict[str, str]", table["tags"])["Team"] == "tap"
    assert short["tap-processor-logs"]["retentionInDays"] == 90
    assert short["tap-processor"]["architectures"] == ["x86_64"]
    assert short["tap-processor-role"]["permissionsBoundary"] == "arn:aws:iam::123456789012:policy/boundary"
    # The preview's document masks what is secret.
    assert "on-call@tap.test" not in str(short["tap-alarm-topic-email"]["endpoint"])


def refused(project: Path, env: Mapping[str, str], stack: str = "dev") -> str:
    """What the CLI says about a program that it cannot plan; never a traceback."""
    make_stack(project, env, stack)
    done = pulumi(project, env, "preview", "--stack", stack, check=False)
    said = done.stdout + done.stderr
    assert done.returncode not in {0, -9}
    assert "Traceback" not in said
    assert 'File "' not in said
    assert "Unexpected" not in said
    return said


def test_bad_config_and_missing_code_are_refused_by_argument(project: Path, env: Mapping[str, str]) -> None:
    shutil.rmtree(project / "dist")
    (project / "Pulumi.bad.yaml").write_text(
        "config: {tap-stack:environmentSuffix: PR_12, tap-stack:logRetentionInDays: 8}", "utf-8"
    )
    said = refused(project, env, "bad")
    assert "property environmentSuffix with value '{PR_12}' has a problem: 'PR_12' cannot end" in said
    assert "property logRetentionInDays" in said
    assert "CloudWatch Logs does not accept 8 days: choose one of 1, 3, 5," in said
    assert "It is the stack's config tap-stack:logRetentionInDays" in said
    assert "there is no file 'dist/api_handler.zip'" in said
    assert "python -m lambdas.package" in said


def test_arguments_that_the_component_does_not_have_are_refused(
    project: Path, env: Mapping[str, str]
) -> None:
    program = project / "Pulumi.yaml"
    text = program.read_text("utf-8")
    other = "resources:\n  other: {type: 'tap:index:TapStack', properties: {logLevl: INFO}}\n"
    for right, wrong in ((": ${forceDestroy}", ": [maybe]"), ("resources:\n", other)):
        assert right in text
        text = text.replace(right, wrong)
    program.write_text(text, "utf-8")
    said = refused(project, env)
    assert "Property logLevl does not exist on 'tap:index:TapStack'" in said
    assert "forceDestroy: Cannot assign 'List<string>' to 'boolean'" in said


def test_a_python_program_is_refused_without_a_traceback(project: Path, env: Mapping[str, str]) -> None:
    for file in PYTHON_PROGRAM.iterdir():
        shutil.copy(file, project)
    (project / "Pulumi.dev.yaml").write_text("config: {tap-stack:environmentSuffix: PR_12}", "utf-8")
    said = refused(project, env)
    assert "TapStack `tap` cannot be planned with these arguments" in said
    assert "environmentSuffix: 'PR_12' cannot end the names" in said
