"""The wheel, installed from its file where there is nothing else: an empty environment, an empty home."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.toolchain import find

if TYPE_CHECKING:
    from collections.abc import Mapping

# All of it runs from where the wheel is installed, which is not measured.
pytestmark = pytest.mark.uncounted
ROOT = Path(__file__).parents[2]
FOREIGN = Path(__file__).parent / "fixtures" / "foreign"


def run(*command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as `nox -s build` makes it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    (path,) = folder.glob("tapgate-*.whl")
    return path


def test_the_wheel_has_the_tool_its_pack_and_what_they_read(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "tapgate/cli.py",
        "tapgate/reports/verdicts.schema.json",
        "tapgate/embedded/toolchain/cli/go.sum",
        "tapgate/reports/comment.md.j2",
        "tapgate/reports/page/templates/page.html.j2",
        "tapgate/guardrails/policy-config.yaml",
        "tapgate/guardrails/waivers.yaml",
        "tapgate/policypack/PulumiPolicy.yaml",
        "tapgate/policypack/profiles/strict.json",
        "tapgate/policypack/tap_guardrails/aws/resource_types.json",
        "tapgate/policypack/tap_guardrails/aws/secret_signs.toml",
    } <= names
    assert {name.partition("/")[0] for name in names} == {
        "tapgate",
        wheel.name.split("-py3")[0] + ".dist-info",
    }
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]
    missing = [
        path.relative_to(ROOT)
        for folder in ("tapgate", "policypack")
        for path in (ROOT / folder).rglob("*.py")
        if str(path.relative_to(ROOT)).replace("policypack/", "tapgate/policypack/", folder == "policypack")
        not in names
        and "venv" not in path.parts
    ]
    assert missing == []


def test_what_it_needs_is_what_the_locks_have() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups: dict[str, list[object]] = project["dependency-groups"]
    locked = {
        requirement
        for group in ("program", "policypack", "tapgate", "embedded", "test")
        for requirement in groups[group]
        if isinstance(requirement, str)
    }
    needed = [*project["project"]["dependencies"]]
    for more in project["project"]["optional-dependencies"].values():
        needed += more
    assert [one for one in needed if one not in locked] == []


@pytest.mark.cli
def test_a_foreign_project_is_gated_from_an_empty_environment_and_an_empty_home(
    wheel: Path, tmp_path: Path
) -> None:
    """It takes seconds: an empty home has no schema of AWS either, which is made once."""
    environment, home, project = tmp_path / "environment", tmp_path / "home", tmp_path / "app"
    home.mkdir()
    shutil.copytree(FOREIGN / "secure-cloud", project)
    uv = (sys.executable, "-m", "uv")
    run(*uv, "venv", "--quiet", "--python", sys.executable, environment)
    install = ("pip", "install", "--quiet", "--python", environment / "bin" / "python",
               "--constraint", ROOT / "requirements" / "test.txt", wheel)  # fmt: skip
    try:
        run(*uv, *install, "--offline")
    except AssertionError:
        run(*uv, *install)  # Not everything is in uv's cache.
    # Installed without bytecode: what would be compiled in every process of a sandbox is compiled once.
    loaded = "import pulumi.policy, tapgate.cli, tapgate.embedded.aws_provider.service"
    run(environment / "bin" / "python", "-c", loaded, cwd=tmp_path)
    # The CLI would be installed or built: other tests do that.
    alone = {
        "HOME": str(home),
        "PATH": f"{environment}/bin:/usr/bin:/bin",
        "TAP_PULUMI": str(find().folder),
    }

    program = project / "Pulumi.yaml"
    program.write_text(program.read_text().replace("enableKeyRotation: true", "enableKeyRotation: false"))
    files = {path: path.read_bytes() for path in project.rglob("*")}
    blocked = subprocess.run(
        ["tapgate", "preview", "--stack", "prod"],
        cwd=project, env=alone, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert blocked.returncode == 1, blocked.stdout + blocked.stderr
    said = " ".join(blocked.stdout.split())
    assert f"{environment}/lib" in said
    assert "tapgate/guardrails, tapgate 0.1.0 (sha256" in said
    assert "BLOCKED kms-key-rotation" in said
    assert "stand in: app:dbPassword" in said
    assert {path: path.read_bytes() for path in project.rglob("*")} == files
