"""The real engine for the gate's tests: whatever `pulumi` is on PATH, on a backend of its own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty state backend that the engine uses for this test."""
    if shutil.which("pulumi") is None:
        pytest.fail("no pulumi CLI on PATH: run the tests through `python -m local exec -- python -m pytest`")
    folder = tmp_path / "backend"
    folder.mkdir()
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{folder}")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "a passphrase for tests")
    return folder


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
