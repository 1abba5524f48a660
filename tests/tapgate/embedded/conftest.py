"""A machine of a test's own: an empty cache, and a PATH with nothing of Pulumi's on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SYSTEM_PATH = "/usr/bin:/bin"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of an empty machine: no CLI on PATH, no Go, no prepared environment."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", SYSTEM_PATH)
    monkeypatch.setattr("tapgate.embedded.toolchain.go_build.USUAL_FOLDERS", ())
    for name in ("TAP_PULUMI", "TAP_LOCAL_AWS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache" / "tap-guardrails"
