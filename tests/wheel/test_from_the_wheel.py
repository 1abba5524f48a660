"""The commands of docs/org-wide.md from the wheel alone, with an empty home, on five shapes of projects.

It installs packages from the index, so it is a part of `nox -s build -- --prove`, not of the tests.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.toolchain import find

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
FOREIGN = ROOT / "tests" / "tapgate" / "fixtures" / "foreign"
LONGEST_SECONDS = 20.0
# Each with its stack, what it ends with, and what is said of it.
PROJECTS = {
    "secure-cloud": ("prod", 0, "secrets in the stack's config stand in"),
    "build-poetry": ("dev", 0, "the program uses pulumi_aws 6.83"),
    "build-awsx": ("dev", 1, "no-unseen-resources (high) [undecided]"),
    "build-refers": ("dev", 0, "acme/network/prod"),
    "build-asks": ("dev", 0, "aws:ec2/getAmi:getAmi"),
}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """An environment with the wheel and what it needs, and nothing else; the CLI is the one that is there."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "home").mkdir()
    dist, environment = folder / "dist", folder / "environment"
    uv = str(Path(sys.executable).with_name("uv"))
    commands: list[list[str]] = [
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist)],
        [uv, "venv", "--quiet", "--python", sys.executable, str(environment)],
    ]
    for command in commands:
        subprocess.run(command, cwd=ROOT, check=True)
    (wheel,) = dist.glob("tapgate-*.whl")
    locked = ["--constraint", str(ROOT / "requirements" / "test.txt")]
    install = [uv, "pip", "install", "--quiet", "--python", str(environment), *locked, str(wheel)]
    subprocess.run(install, cwd=ROOT, check=True)
    return {
        "HOME": str(folder / "home"),
        "PATH": f"{environment}/bin:/usr/bin:/bin",
        "TAP_PULUMI": str(find().folder),
        "UV_SYSTEM_CERTS": "1",
    }


def run(alone: Mapping[str, str], folder: Path, *words: str) -> tuple[int, str, float]:
    started = time.monotonic()
    done = subprocess.run(
        ["tapgate", *words], cwd=folder, env=dict(alone), capture_output=True, text=True, check=False
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split()), time.monotonic() - started


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_is_gated_by_the_wheel_alone(alone: Mapping[str, str], tmp_path: Path, name: str) -> None:
    stack, expected, words = PROJECTS[name]
    project = Path(shutil.copytree(FOREIGN / name, tmp_path / name))
    files = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    first = run(alone, project, "preview", "--install", "--stack", stack)
    code, said, seconds = run(alone, project, "preview", "--install", "--stack", stack)
    print(f"{name}: {first[2]:.1f} s, then {seconds:.1f} s")
    assert (code, words in said) == (expected, True), said
    assert seconds < LONGEST_SECONDS
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == files


def test_doctor_and_init_work_from_it(alone: Mapping[str, str], tmp_path: Path) -> None:
    project = Path(shutil.copytree(FOREIGN / "secure-cloud", tmp_path / "app"))
    code, said, _ = run(alone, tmp_path, "doctor", "--project", str(project))
    assert (code, "READY nothing is missing" in said) == (0, True), said
    code, said, _ = run(alone, tmp_path, "init", "--project", str(project))
    assert (code, bool(re.search(r"installs tapgate==\d", said))) == (0, True), said
