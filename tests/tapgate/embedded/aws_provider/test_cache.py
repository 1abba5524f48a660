from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider import cache

if TYPE_CHECKING:
    import pytest


def test_files_are_kept_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder("things") == tmp_path / "tap-guardrails" / "things"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.folder("things") == tmp_path / ".cache" / "tap-guardrails" / "things"


def test_a_file_that_cannot_be_put_in_place_leaves_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "things" / "one.json"
    cache.keep(path, "old")

    def full(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    cache.keep(path, "new")
    assert [file.name for file in path.parent.iterdir()] == ["one.json"]
    assert path.read_text() == "old"
