"""The pack's folder alone, with its own requirements in a new environment, gates programs in any language."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.paths import cache_root, get_or_make
from tapgate.embedded.prepare import ensure_stacks
from tests.policypack.harness.pack import PACK_FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = [pytest.mark.cli, pytest.mark.uncounted]

PROGRAMS = Path(__file__).with_name("vendored")
BLOCKED = re.compile(r"\[mandatory\] \[severity: \w+\] +(\S+) +\(\S+ (\S+)\)")
EXPECTED = {("kms-key-rotation", "still"), ("sqs-encryption", "queue")}


def run(command: list[str], folder: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a command that has to succeed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=None if env is None else dict(env),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def vendored(
    tmp_path_factory: pytest.TempPathFactory, engine_env: Mapping[str, str]
) -> tuple[Path, dict[str, str]]:
    """A copy of the pack, and the engine's environment with a Python that has its requirements only."""
    root = tmp_path_factory.mktemp("vendored")
    pack = root / "pack"
    shutil.copytree(PACK_FOLDER, pack, ignore=shutil.ignore_patterns("__pycache__"))
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert uv, "uv is among the requirements of the tests"
    run([uv, "venv", "--quiet", "--python", sys.executable, str(root / "venv")], root)
    python = root / "venv" / "bin" / "python"
    run([uv, "pip", "install", "--quiet", "--python", str(python), "-r", "requirements.txt"], pack)
    backend = root / "state"
    backend.mkdir()
    env = {name: value for name, value in engine_env.items() if name != "PYTHONPATH"}
    env["PATH"] = os.pathsep.join([str(python.parent), env["PATH"]])
    env |= {"PULUMI_PYTHON_CMD": str(python), "VIRTUAL_ENV": str(root / "venv")}
    env["PULUMI_BACKEND_URL"] = backend.as_uri()
    return pack, env


def blocked(output: str) -> set[tuple[str, str]]:
    """The mandatory findings that the CLI shows: policy and resource."""
    return {(policy, name) for policy, name in BLOCKED.findall(output)}


def test_nothing_else_is_there(vendored: tuple[Path, dict[str, str]]) -> None:
    _, env = vendored
    names = ("pulumi_policy", "pulumi_aws", "boto3", "pytest")
    asked = f"import importlib.util as u; print([n for n in {names!r} if u.find_spec(n)])"
    assert run([env["PULUMI_PYTHON_CMD"], "-c", asked], Path.cwd(), env) == "['pulumi_policy']\n"


@pytest.mark.parametrize("language", ["yaml", "python"])
def test_a_program_is_gated(language: str, tmp_path: Path, vendored: tuple[Path, dict[str, str]]) -> None:
    pack, env = vendored
    project = tmp_path / "project"
    shutil.copytree(PROGRAMS / language, project)
    ensure_stacks([language], project, pack.with_name("state"))
    preview = ["pulumi", "preview", "--non-interactive", "--stack", language, "--policy-pack", str(pack)]
    done = subprocess.run(preview, cwd=project, env=env, capture_output=True, text=True, check=False)
    assert blocked(done.stdout) == EXPECTED, done.stdout + done.stderr
    assert done.returncode != 0


def test_a_program_in_typescript_is_gated(vendored: tuple[Path, dict[str, str]]) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no Node.js on this machine, so no program in TypeScript can run")
    pack, env = vendored
    project = compiled(npm)
    done = subprocess.run(
        ["node", "out/main.js", str(pack)], cwd=project, env=env, capture_output=True, text=True, check=False
    )
    assert blocked(done.stdout) == EXPECTED, done.stdout + done.stderr
    assert done.returncode != 0


def compiled(npm: str) -> Path:
    """The program with what its lock names, compiled, which takes longer than the test: kept for the next."""
    sources = sorted((PROGRAMS / "typescript").iterdir())
    digest = hashlib.sha256()
    for file in sources:
        digest.update(f"{file.name}\0{file.stat().st_size}\0".encode() + file.read_bytes())

    def make(project: Path) -> None:
        for file in sources:
            shutil.copy(file, project)
        run([npm, "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"], project)
        run([str(project / "node_modules" / ".bin" / "tsc"), "-p", "."], project)

    return get_or_make(cache_root() / "tests" / f"typescript-{digest.hexdigest()[:12]}", make)
