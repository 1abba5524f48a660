"""The pack's folder alone: copied elsewhere, with nothing installed but its own requirements."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from tests.policypack.harness.cases import CaseResource
from tests.policypack.harness.pack import PACK_FOLDER, running_pack

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAVY = ("pulumi_aws", "boto3", "botocore", "jsonschema", "difflib", "sqlite3", "unittest", "pytest")


def requirements() -> set[str]:
    """All that the pack's requirements bring, by the names of the distributions."""
    locked = map(Requirement, requirement_lines())
    waiting = [one.name for one in locked if one.marker is None or one.marker.evaluate()]
    found: set[str] = set()
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        found.add(name)
        needed = (Requirement(line) for line in distribution(name).requires or [])
        waiting += [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def requirement_lines() -> list[str]:
    lines = (PACK_FOLDER / "requirements.txt").read_text().splitlines()
    return [line.removesuffix("\\").strip() for line in lines if line[:1].strip() not in {"", "#"}]


def top_level(name: str) -> Iterator[Path]:
    """The files and folders that a distribution puts into site-packages."""
    installed = distribution(name)
    for first in {file.parts[0] for file in installed.files or []} - {"..", "__pycache__"}:
        yield Path(str(installed.locate_file(first)))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A copy of the pack, and the environment of an interpreter that has its requirements only."""
    root = tmp_path_factory.mktemp("elsewhere")
    folder = root / "pack"
    shutil.copytree(PACK_FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    site = root / "site"
    site.mkdir()
    for name in requirements():
        for path in top_level(name):
            if path.exists() and not (site / path.name).exists():
                (site / path.name).symlink_to(path)
    return folder, {"PYTHONPATH": str(site), "PYTHONNOUSERSITE": "1"}


def test_the_pack_runs_elsewhere_with_its_own_requirements_only(
    elsewhere: tuple[Path, dict[str, str]],
) -> None:
    folder, environment = elsewhere
    with running_pack(folder, environment=environment, options=("-S",)) as pack:
        assert pack.info().name == "tap-guardrails"
        response = pack.analyze(CaseResource("key", "aws:kms/key:Key", {}))
        assert "kms-key-rotation" in {one.policyName for one in response.diagnostics}
        stack = pack.analyze_stack([CaseResource("fn", "aws:lambda/function:Function", {"name": "fn"})])
        assert "lambda-error-alarm" in {one.policyName for one in stack.diagnostics}


def test_nothing_else_is_there(elsewhere: tuple[Path, dict[str, str]]) -> None:
    _, environment = elsewhere
    command = [sys.executable, "-S", "-c", "import yaml, pulumi_aws"]
    answer = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, check=False)
    assert b"No module named" in answer.stderr


def test_the_pack_imports_nothing_of_its_neighbours() -> None:
    imported = re.compile(r"^\s*(?:from|import)\s+(\w+)", re.MULTILINE)
    allowed = {
        "tap_guardrails",
        "pulumi_policy",
        "pulumi",
        "google",
        "grpc",
        "yaml",
        *sys.stdlib_module_names,
    }
    generator = PACK_FOLDER / "data"
    for path in PACK_FOLDER.rglob("*.py"):
        extra = {"data", "botocore"} if path.is_relative_to(generator) else set[str]()
        assert set(imported.findall(path.read_text())) <= allowed | extra, path


def test_start_up_imports_nothing_that_pulumi_policy_does_not() -> None:
    program = (
        "import sys, grpc, pulumi_policy; before = set(sys.modules);"
        f"sys.path.insert(0, {str(PACK_FOLDER)!r});"
        "import tap_guardrails.serving; from tap_guardrails.assembly import find_rules; find_rules();"
        "print(*sorted(name for name in set(sys.modules) - before if not name.startswith('tap_guardrails')))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not set(answer.stdout.split()) & set(HEAVY)
    assert len(answer.stdout.split()) <= 3, answer.stdout
