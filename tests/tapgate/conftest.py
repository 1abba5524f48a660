"""The real engine for the gate's tests, on a backend of its own for each."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tapgate.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def coverage_env() -> Mapping[str, str]:
    """What makes coverage follow into a process; a session's fixture comes before any test's changes."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS")}


@pytest.fixture(autouse=True)
def environment_as_it_was() -> Generator[None]:
    """A command in this process prepares its environment for what it starts: the next test has its own."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def backend(engine_env: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty state backend that the engine uses for this test, in the prepared environment."""
    folder = tmp_path / "backend"
    folder.mkdir()
    for name in set(os.environ) - set(engine_env):
        monkeypatch.delenv(name)
    for name, value in engine_env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PULUMI_BACKEND_URL", folder.as_uri())
    return folder


@pytest.fixture
def teams_backend(backend: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same as a team's own, where the CLI makes and removes stacks, and opens their secrets."""
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "a passphrase for tests")
    return backend


@pytest.fixture
def evaluated(
    backend: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, set[tuple[str, str, str]], str]]:
    """Previews a project in this process: exit code, what blocks (policy, resource, verdict), words."""
    assert backend

    def run(project: Path, *options: str) -> tuple[int, set[tuple[str, str, str]], str]:
        verdict = tmp_path / "verdict.json"
        code = main(["preview", "-C", str(project), "--verdict", str(verdict), *options])
        said = "".join(capsys.readouterr())
        assert verdict.is_file(), said
        (stack,) = cast("list[dict[str, list[dict[str, object]]]]", json.loads(verdict.read_text())["stacks"])
        findings = {
            (str(one["policy"]), str(one["name"]), str(one["verdict"]))
            for one in stack["findings"]
            if one["blocks"]
        }
        return code, findings, said

    return run


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """Copies a fixture project, which a test may then change."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(FIXTURES / "projects" / name, tmp_path / "projects" / name))

    return copy


@pytest.fixture
def pack() -> Callable[[str], str]:
    """The folder of a fixture pack, as an argument."""
    return lambda name: str(FIXTURES / "packs" / name)


@pytest.fixture
def script_env(engine_env: Mapping[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment of `.ci/gate`, with the Python environment ready that it would make by itself."""
    environment = tmp_path / "environment"
    (environment / "bin").mkdir(parents=True)
    python = environment / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (environment / "ready").touch()
    return {**engine_env, "GATE_ENVIRONMENT": str(environment), "GATE_PYTHON": sys.executable}
