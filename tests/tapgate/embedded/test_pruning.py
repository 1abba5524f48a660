"""What grows in the cache is bounded, and what a run uses stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tapgate.embedded import paths, pruning
from tapgate.embedded.paths import DAY, ENVIRONMENTS, MANIFEST, cache_root, hold, is_complete, once_a_day
from tapgate.embedded.pruning import BYTECODE, prune

if TYPE_CHECKING:
    import pytest

HOLDER = """
import sys; from pathlib import Path; from tapgate.embedded.paths import hold
hold(Path(sys.argv[1]), lambda folder: (folder / "python").write_text("x" * 100)); print("held", flush=True)
sys.stdin.read()
"""


def make(folder: Path) -> None:
    (folder / "python").write_text("x" * 100)


def made(cache: Path, name: str, age: float) -> Path:
    """Make an environment that was used so many days ago, and that no run uses now."""
    entry = cache / ENVIRONMENTS / name
    hold(entry, make)
    os.close(paths.held.pop(entry))
    then = time.time() - age * DAY
    for path in (entry / MANIFEST, entry):
        os.utime(path, (then, then))
    return entry


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


def test_what_is_old_or_too_much_goes_and_what_is_used_stays(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, age in (("new", 0), ("recent", 5), ("older", 9), ("unused", 31), ("used", 40)):
        made(cache, name, age)
    left = cache / ENVIRONMENTS / ".killed.partial-1"
    left.mkdir()
    monkeypatch.setitem(pruning.MOST_BYTES, ENVIRONMENTS, 250)
    words = [sys.executable, "-c", HOLDER, str(cache / ENVIRONMENTS / "used")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "held\n"
        then = time.time() - 40 * DAY
        os.utime(cache / ENVIRONMENTS / "used" / MANIFEST, (then, then))
        prune()
        assert names(cache / ENVIRONMENTS) == {"new", "recent", "used"}
        assert is_complete(cache / ENVIRONMENTS / "used")
        assert "removed from the cache what no run used lately: 0.0 MB" in capsys.readouterr().err
        run.communicate("")
    prune(time.time() + 2 * DAY)
    assert names(cache / ENVIRONMENTS) == {"new", "recent"}


def test_once_a_day_is_due_once_and_again_after_a_day(cache: Path) -> None:
    assert not once_a_day("pruned")  # Nothing to prune, and nothing to remember it by.
    cache.mkdir(parents=True)
    assert once_a_day("pruned")
    assert not once_a_day("pruned")
    assert once_a_day("other")
    then = time.time() - DAY - 1
    os.utime(cache_root() / ".pruned", (then, then))
    assert once_a_day("pruned")


def test_using_an_environment_makes_it_recent_and_one_that_went_is_made_again(cache: Path) -> None:
    entry = made(cache, "old", 31)
    assert hold(entry, make) == entry
    os.close(paths.held.pop(entry))
    os.utime(entry, (0, 0))
    prune()
    assert is_complete(entry)
    prune(time.time() + 32 * DAY)
    assert not entry.exists()
    assert is_complete(hold(entry, make))


def test_bytecode_goes_with_its_source_or_when_it_is_too_much(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    folder = Path(f"{cache / BYTECODE}{source}")
    gone = cache / BYTECODE / "no-such-folder" / "package"
    for place in (folder, gone):
        place.mkdir(parents=True)
        for index in range(3):
            file = place / f"m{index}.pyc"
            file.write_bytes(bytes(100))
            then = time.time() - index * DAY
            os.utime(file, (then, then))
    monkeypatch.setitem(pruning.MOST_BYTES, BYTECODE, 250)
    prune()
    assert names(folder) == {"m0.pyc", "m1.pyc"}
    assert not gone.parent.exists()
    prune(time.time() + 40 * DAY)
    assert not folder.exists()


def test_a_cache_that_cannot_be_written_to_is_left_as_it_is(tmp_path: Path, cache: Path) -> None:
    prune()
    assert not cache.exists()
    cache.parent.mkdir()
    cache.write_text("no folder")
    prune()
    assert list(tmp_path.rglob("*")) == [cache.parent, cache]
