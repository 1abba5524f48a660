from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider import package_schema
from tapgate.embedded.aws_provider.schema_store import (
    NOTED,
    cache_folder,
    function_schema_of,
    keep_file,
    keep_noted,
    schema_of,
)

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


def test_what_a_sandbox_could_not_keep_is_kept_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes"
    monkeypatch.setenv(NOTED, str(notes))
    for name in ("aws.kms.key.Key.json", "aws.kms.getAlias.getAlias.json"):
        keep_file(Path("/proc/nowhere") / name, "whatever the program says")
    with notes.open("a") as more:
        more.write("aws.kms.key.None.json\n../../x\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(package_schema, "schema_text", lambda: "")
    schema_of.cache_clear()
    function_schema_of.cache_clear()
    keep_noted(notes)
    kept = {path.name: path.read_text() for path in cache_folder().iterdir()}
    assert kept.keys() == {"aws.kms.key.Key.json", "aws.kms.getAlias.getAlias.json"}
    assert "enableKeyRotation" in kept["aws.kms.key.Key.json"]
