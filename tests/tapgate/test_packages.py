"""Programs that use other packages than `aws`, on the real engine, with none of those installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tapgate.embedded.paths import cache_root

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.cli

ROOT = Path(__file__).parents[2]
FIXTURES = Path(__file__).parent / "fixtures" / "foreign"


def preview(
    folder: Path, name: str, environment: Mapping[str, str]
) -> tuple[int, set[tuple[str, str, str]], str]:
    """Return the exit code, the findings of what blocks (policy, resource, verdict), and what was said."""
    project, verdict = folder / name, folder / "verdict.json"
    shutil.copytree(FIXTURES / name, project)
    done = subprocess.run(
        [sys.executable, "-m", "tapgate", "preview", "-C", str(project), "--verdict", str(verdict)],
        cwd=ROOT,
        # A home without plug-ins; what is kept of AWS's schemas is no part of it.
        env={**environment, "HOME": str(folder), "XDG_CACHE_HOME": str(cache_root().parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = " ".join((done.stdout + done.stderr).split())
    assert verdict.is_file(), said
    (stack,) = cast("list[dict[str, list[dict[str, object]]]]", json.loads(verdict.read_text())["stacks"])
    findings = {
        (str(one["policy"]), str(one["name"]), str(one["verdict"]))
        for one in stack["findings"]
        if one["blocks"]
    }
    return done.returncode, findings, said


def test_a_yaml_program_with_other_packages_has_a_verdict(
    tmp_path: Path, engine_env: Mapping[str, str]
) -> None:
    code, findings, said = preview(tmp_path, "packages", engine_env)
    assert (code, findings) == (
        1,
        {
            ("no-unseen-resources", "vpc", "undecided"),
            ("no-unseen-resources", "platform", "undecided"),
            ("no-unseen-resources", "script", "violation"),
        },
    ), said
    for policy in ("kms-key-rotation", "log-group-encryption", "log-group-retention", "no-plaintext-secrets"):
        assert f"✓ {policy}" in said
    assert "stand-in provider for package random" in said


def test_a_component_is_unseen_though_the_program_gives_it_a_child(
    tmp_path: Path, engine_env: Mapping[str, str]
) -> None:
    code, findings, said = preview(tmp_path, "packages-python", engine_env)
    assert (code, findings) == (1, {("no-unseen-resources", "platform", "undecided")}), said
    assert "✓ kms-key-rotation" in said


def test_a_program_for_an_older_major_is_judged_with_a_note(
    tmp_path: Path, engine_env: Mapping[str, str]
) -> None:
    code, findings, said = preview(tmp_path, "older-major", engine_env)
    assert (code, findings) == (0, set()), said
    assert "asks for version 6.83.0 of the AWS provider; the stand-in knows the types of 7." in said
