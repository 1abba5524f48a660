"""Folders of the cache, files put in place whole, and small JSON files read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.embedded.console import Failure
from tapgate.embedded.paths import cache_root, make_folder, read_object, state_root, write_atomically


def test_the_cache_is_where_the_standard_puts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root() == tmp_path / "tap-guardrails"
    monkeypatch.setenv("HOME", "/home/somebody")
    for absent in ("", "relative/path"):
        monkeypatch.setenv("XDG_CACHE_HOME", absent)
        assert cache_root() == Path("/home/somebody/.cache/tap-guardrails")


def test_without_any_home_the_message_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        message = "no home"
        raise RuntimeError(message)

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(Failure, match="set HOME or XDG_CACHE_HOME"):
        cache_root()
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    with pytest.raises(Failure, match="set HOME or XDG_STATE_HOME"):
        state_root()
    monkeypatch.setenv("XDG_STATE_HOME", "/var/state")
    assert state_root() == Path("/var/state/tap-guardrails")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure) as failure:
        make_folder(tmp_path / "file" / "folder")
    assert f"Where: {tmp_path}/file/folder" in str(failure.value)
    assert "Not a directory" in str(failure.value)


def test_a_file_is_put_in_place_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_atomically(path, "one", mode=0o755)
    write_atomically(path, "two", mode=0o755)
    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o777 == 0o755
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_shows_the_parts_that_it_has() -> None:
    assert str(Failure("It is broken")) == "It is broken."
    assert (
        str(Failure("It is broken", why="it fell", fix="mend it"))
        == "It is broken.\n  Why: it fell\n  Fix: mend it"
    )


@given(st.text())
def test_any_text_reads_as_an_object_or_as_none(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "object.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert isinstance(read_object(path, str), dict)


def test_values_of_another_kind_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "object.json"
    path.write_text('{"a": "text", "b": 1, "c": null, "d": [1]}')
    assert read_object(path, str) == {"a": "text"}
    assert read_object(path, int) == {"b": 1}
    assert read_object(tmp_path / "absent", str) == {}
