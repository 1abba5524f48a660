from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import pytest

from tapgate.reports.controls import Control, PolicyInfo
from tapgate.reports.metadata import described

PACKS = Path(__file__).parent / "packs"


def test_a_pack_says_what_its_policies_are_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PACKS)
    (info,) = described([Path("described")])
    assert info == PolicyInfo(
        policy="keys-rotate",
        pack="described",
        title="Every key rotates",
        description="Keys rotate.",
        severity="high",
        url="https://example.com/keys",
        remediation="Turn it on.",
        tags=("aws", "fsbp:KMS.4"),
        framework="CIS AWS 3.0.0",
        reference="3.6",
    )
    assert info.controls == (Control("CIS AWS 3.0.0", "3.6"), Control("fsbp", "KMS.4"))


def test_this_projects_own_pack_names_its_controls() -> None:
    infos = {info.policy: info for info in described([PACKS.parents[3] / "policypack"])}
    assert Control("aws-fsbp", "KMS.4") in infos["kms-key-rotation"].controls


@pytest.mark.parametrize("name", ["silent", "endless", "chatty", "none"])
def test_a_pack_that_does_not_answer_is_done_without(name: str) -> None:
    started = time.monotonic()
    found = described([PACKS / name, PACKS / "described"], patience=6.0)
    assert [info.pack for info in found] == ["described"]
    assert time.monotonic() - started < 40


@pytest.mark.parametrize("project", ["runtime: nodejs", "version: 1.0.0", "{", "- 1"])
def test_packs_in_other_languages_are_not_started(tmp_path: Path, project: str) -> None:
    pack = Path(shutil.copytree(PACKS / "described", tmp_path / "pack"))
    (pack / "PulumiPolicy.yaml").write_text(project, encoding="utf-8")
    assert described([pack]) == ()


def test_the_packs_own_environment_is_used(tmp_path: Path) -> None:
    pack = Path(shutil.copytree(PACKS / "silent", tmp_path / "pack"))
    shutil.copy(PACKS / "described" / "__main__.py", pack)
    python = pack / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f'#!/bin/sh\ntouch "$(dirname "$0")/used"\nexec "{sys.executable}" "$@"\n', encoding="utf-8"
    )
    python.chmod(0o755)
    assert [info.policy for info in described([pack])] == ["keys-rotate"]
    assert (python.parent / "used").exists()


def test_an_interpreter_that_cannot_be_started_is_done_without(tmp_path: Path) -> None:
    pack = Path(shutil.copytree(PACKS / "silent", tmp_path / "pack"))
    python = pack / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("no program", encoding="utf-8")
    assert described([pack]) == ()
