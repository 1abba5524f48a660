"""What of other teams' small programs the gate has to say: those whose shapes no other test has."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = [pytest.mark.cli, pytest.mark.uncounted]

ROOT = Path(__file__).parents[2]
FOREIGN = Path(__file__).parent / "fixtures" / "foreign"


def preview(
    name: str, folder: Path, environment: Mapping[str, str], *options: str
) -> subprocess.CompletedProcess[str]:
    project = shutil.copytree(FOREIGN / name, folder / name)
    command = [sys.executable, "-m", "tapgate", "preview", "-C", str(project), *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_project_without_anything_to_judge_does_not_pass(
    engine_env: Mapping[str, str], tmp_path: Path
) -> None:
    done = preview("empty", tmp_path, engine_env)
    assert done.returncode == 2, done.stdout
    assert "PASSED" not in done.stdout


def test_what_is_said_plainly_is_found_and_a_function_that_is_waited_for_needs_no_destination(
    engine_env: Mapping[str, str], tmp_path: Path
) -> None:
    done = preview("said-plainly", tmp_path, engine_env, "--verdict", str(tmp_path / "verdict.json"))
    assert done.returncode == 1, done.stderr
    (stack,) = json.loads((tmp_path / "verdict.json").read_text())["stacks"]
    found: dict[str, list[str]] = {}
    for one in stack["findings"]:
        found.setdefault(one["policy"], []).append(one["name"])
    assert sorted(found["no-plaintext-secrets"]) == ["db", "github", "version", "version", "web"]
    assert found["lambda-error-alarm"] == ["fn"]
    assert "lambda-failure-destination" not in found
