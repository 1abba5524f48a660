from __future__ import annotations

import os
from pathlib import Path

import pytest

from tapgate.findings import CouldNotRunError
from tapgate.reports.writing import write_file


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    write_file(b"old", target)
    assert target.read_bytes() == b"old"
    write_file(b"new", target)
    assert target.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_a_device_is_written_to() -> None:
    write_file(b"x", Path("/dev/null"))
    assert not Path("/dev/null").is_file()


def test_a_target_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRunError, match="cannot be written"):
        write_file(b"x", tmp_path / "none" / "out.json")
    with pytest.raises(CouldNotRunError, match="cannot be written"):
        write_file(b"x", tmp_path)


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fdopen", fails)
    with pytest.raises(KeyboardInterrupt):
        write_file(b"x", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
