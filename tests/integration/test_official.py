"""The official AWS provider is found, and put before the stand-in, where `--provider real` asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.console import Failure
from tapgate.embedded.environment import PROVIDER, stand_in_folder
from tests.integration import official
from tests.integration.deployment import ROOT, Deployment, environment_for
from tests.integration.target import Target

if TYPE_CHECKING:
    from pathlib import Path

VERSION = metadata.version("pulumi-aws")
MAJOR = VERSION.partition(".")[0]


def _plugin(folder: Path, script: str = "exit 0") -> Path:
    folder.mkdir(parents=True)
    (folder / PROVIDER).write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    (folder / PROVIDER).chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        ([VERSION], VERSION),
        ([f"{MAJOR}.0.0", VERSION, f"{MAJOR}.999.0"], VERSION),
        ([f"{MAJOR}.0.0", f"{MAJOR}.9.0", f"{MAJOR}.10.0", "999.0.0"], f"{MAJOR}.10.0"),
    ],
)
def test_the_version_of_pulumi_aws_is_taken_or_the_newest_of_its_major(
    tmp_path: Path, installed: list[str], expected: str
) -> None:
    for version in installed:
        _plugin(tmp_path / ".pulumi" / "plugins" / f"resource-aws-v{version}")
    assert official.find({"HOME": str(tmp_path)}).name == f"resource-aws-v{expected}"


def test_one_on_path_is_taken_but_not_the_stand_in(tmp_path: Path) -> None:
    own = _plugin(tmp_path / "bin")
    path = os.pathsep.join([str(stand_in_folder()), str(own)])
    assert official.find({"HOME": str(tmp_path), "PATH": path}) == own


def test_without_one_it_says_why_and_what_to_do(tmp_path: Path) -> None:
    _plugin(tmp_path / ".pulumi" / "plugins" / "resource-aws-v1.0.0")
    with pytest.raises(Failure) as raised:
        official.find({"HOME": str(tmp_path), "PATH": str(stand_in_folder())})
    assert "The official AWS provider is not installed." in str(raised.value)
    assert f"pulumi plugin install resource aws v{VERSION}" in str(raised.value)


@pytest.mark.cli
def test_the_engine_starts_the_one_that_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shown with a plug-in that says that it was started and goes on as the stand-in."""
    started = tmp_path / "started"
    folder = _plugin(tmp_path / "official", f'touch {started}; exec {stand_in_folder()}/{PROVIDER} "$@"')
    monkeypatch.setenv(official.FOLDER, str(folder))
    project = tmp_path / "project"
    project.mkdir()
    program = "{name: one, runtime: yaml, resources: {q: {type: 'aws:sqs:Queue'}}}"
    (project / "Pulumi.yaml").write_text(program, "utf-8")
    target = Target("http://127.0.0.1:1", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    deployment = Deployment(project, "dev", environment_for(tmp_path, target))
    deployment.configure({})
    assert "aws:s3UsePathStyle" in (project / "Pulumi.dev.yaml").read_text("utf-8")
    assert deployment.pulumi("stack", "init").returncode == 0
    shown = deployment.pulumi("preview")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert started.exists()


def test_the_session_s_look_up_ends_with_the_reason(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "PULUMI_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "tests.integration.official"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: The official AWS provider is not installed.")
