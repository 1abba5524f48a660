from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider.schema_store import keep_file

if TYPE_CHECKING:
    import pytest


def test_a_file_that_cannot_be_put_in_place_leaves_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "things" / "one.json"
    keep_file(path, "old")

    def full(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    keep_file(path, "new")
    assert [file.name for file in path.parent.iterdir()] == ["one.json"]
    assert path.read_text() == "old"
