from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tapgate.audit.task import Store, default_folder
from tapgate.findings import Report

REPORT = Report("shop", "dev", (), (), (), 3, (), {}, 0.0)
KEY = "ab" + "c" * 62


def test_a_result_is_kept_for_the_user_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    assert store.get(KEY) is None
    store.put(KEY, REPORT)
    assert store.get(KEY) == REPORT
    assert store.get("ff" + KEY[2:]) is None
    assert stat.S_IMODE((tmp_path / "results" / "ab").stat().st_mode) == 0o700
    assert [path.suffix for path in (tmp_path / "results" / "ab").iterdir()] == [".json"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"schema": "x"}', "\ud800"])
def test_a_damaged_result_is_as_good_as_none(tmp_path: Path, damage: str) -> None:
    store = Store(tmp_path)
    store.put(KEY, REPORT)
    (file,) = tmp_path.rglob("*.json")
    file.write_text(damage, errors="surrogatepass")
    assert store.get(KEY) is None


def test_a_store_that_cannot_be_written_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file")
    store.put(KEY, REPORT)
    assert store.get(KEY) is None


def test_the_default_is_in_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert default_folder() == Path("/x/tap-guardrails/audit")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert default_folder() == Path("/home/me/.cache/tap-guardrails/audit")
