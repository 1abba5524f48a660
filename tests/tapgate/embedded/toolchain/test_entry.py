"""Entries of the cache: whole or absent, also when runs are killed or come two at a time."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapgate.embedded.paths import MANIFEST, get_or_make, is_complete

ROOT = Path(__file__).parents[4]

MAKER = """
import sys
from pathlib import Path
from tapgate.embedded.paths import get_or_make

def make(folder):
    (folder / "part").write_text("one")
    Path(sys.argv[2]).open("a").write("made\\n")
    sys.stdin.read()
    (folder / "rest").write_text("two")

print(get_or_make(Path(sys.argv[1]), make))
"""


def make(folder: Path) -> None:
    (folder / "bin").mkdir()
    (folder / "bin" / "tool").write_text("a tool")
    (folder / "note").write_text("")


def must_not_make(folder: Path) -> None:
    pytest.fail(f"made again in {folder}")


def start_maker(entry: Path) -> subprocess.Popen[str]:
    """Start a process that makes the entry, and is not done before its standard input ends."""
    log = entry.parent.parent / "made.log"
    return subprocess.Popen(
        [sys.executable, "-c", MAKER, str(entry), str(log)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until_made(entry: Path, times: int) -> None:
    log = entry.parent.parent / "made.log"
    deadline = time.monotonic() + 120
    while not log.exists() or len(log.read_text().splitlines()) < times:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    entry = tmp_path / "cache" / "entry"
    assert get_or_make(entry, make) == entry
    assert is_complete(entry)
    assert get_or_make(entry, must_not_make) == entry
    assert left_in(entry.parent) == ["entry"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    victim=st.sampled_from(["bin/tool", "note", MANIFEST]),
    content=st.none() | st.binary(max_size=8).filter(lambda content: len(content) not in {0, 6}),
)
def test_a_damaged_entry_is_found_out_and_made_again(
    tmp_path_factory: pytest.TempPathFactory, victim: str, content: bytes | None
) -> None:
    entry = get_or_make(tmp_path_factory.mktemp("damaged") / "entry", make)
    if content is None:
        (entry / victim).unlink()
    else:
        (entry / victim).write_bytes(content)
    assert not is_complete(entry)
    get_or_make(entry, make)
    assert is_complete(entry)
    assert (entry / "bin" / "tool").read_text() == "a tool"


@pytest.mark.parametrize("manifest", ["", "{}", "[]", '{"bin/tool": "6"}', "null", "7"])
def test_a_manifest_that_says_nothing_makes_no_whole_entry(tmp_path: Path, manifest: str) -> None:
    (tmp_path / MANIFEST).write_text(manifest)
    assert not is_complete(tmp_path)


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        make(folder)
        message = "no space left"
        raise OSError(message)

    with pytest.raises(OSError, match="no space left"):
        get_or_make(tmp_path / "entry", fail)
    assert left_in(tmp_path) == []


def test_whoever_looks_sees_no_entry_or_a_whole_one(tmp_path: Path) -> None:
    entry = tmp_path / "entry"
    looked: list[bool] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            if entry.exists():
                looked.append(is_complete(entry))

    def make_many(folder: Path) -> None:
        for number in range(300):
            (folder / str(number)).write_text("a file")

    looker = threading.Thread(target=look)
    looker.start()
    get_or_make(entry, make_many)
    ended.set()
    looker.join()
    assert all(looked)
    assert is_complete(entry)


def test_of_two_runs_at_once_one_makes_it_and_the_other_waits(tmp_path: Path) -> None:
    entry = tmp_path / "cache" / "entry"
    first = start_maker(entry)
    wait_until_made(entry, 1)
    second = start_maker(entry)
    assert second.stderr is not None
    waiting = second.stderr.readline()
    assert "another run is preparing the toolchain; waiting for it" in waiting
    outputs = [process.communicate(timeout=120) for process in (first, second)]
    assert [process.returncode for process in (first, second)] == [0, 0]
    assert [stdout.strip() for stdout, _ in outputs] == [str(entry)] * 2
    assert (tmp_path / "made.log").read_text() == "made\n"
    assert "the other run has finished" in outputs[1][1]
    assert left_in(entry.parent) == ["entry"]


def test_a_run_that_is_killed_leaves_no_entry_and_the_next_one_clears_up(tmp_path: Path) -> None:
    entry = tmp_path / "cache" / "entry"
    killed = start_maker(entry)
    wait_until_made(entry, 1)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not entry.exists()
    assert [name.split("-")[0] for name in left_in(entry.parent)] == [".entry.partial"]
    again = start_maker(entry)
    _, stderr = again.communicate(timeout=120)
    assert "removing what an interrupted run left" in stderr
    assert is_complete(entry)
    assert left_in(entry.parent) == ["entry"]
