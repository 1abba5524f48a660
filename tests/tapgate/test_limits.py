"""A run that does not end by itself is ended, with everything that it started."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from tapgate.engine import Engine, Limits
from tapgate.findings import CouldNotRunError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="descendants are found by /proc")

# Each leaves processes behind that are in no group or session of the program's, under a number of its own.
SLOW, LOUD, MANY = "did not end within", "said more than", "started more than"
HIDES = """#!{python}
import os, time
if os.fork():
    time.sleep({n})
os.setsid()
if os.fork():
    os._exit(0)
os.execvp("sleep", ["sleep", "{n}"])
"""
STARTS = """#!{python}
import subprocess, time
for _ in range(40):
    subprocess.Popen(["sleep", "{n}"], start_new_session=True)
time.sleep({n})
"""
PROGRAMS = {
    "never ends": ("#!/bin/sh\nsleep {n}\n", SLOW),
    "is deaf": ("#!/bin/sh\ntrap '' INT TERM HUP\nsleep {n} &\nsleep {n}\nsleep {n}\n", SLOW),
    "hides what it starts": (HIDES, SLOW),
    "floods": ("#!/bin/sh\nsleep {n} &\nyes flooding\n", LOUD),
    "floods its errors": ("#!/bin/sh\nsleep {n} &\nyes flooding >&2\n", LOUD),
    "starts ever more": (STARTS, MANY),
}


def left(number: str) -> list[str]:
    """Command lines that have the number as an argument, other than this test's."""
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if number.encode() in line:
                found.append(repr(line))
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_goes_beyond_a_limit(tmp_path: Path, name: str) -> None:
    body, words = PROGRAMS[name]
    number = f"8{abs(hash((name, str(tmp_path)))) % 10**6:06}"
    program = tmp_path / "pulumi"
    program.write_text(body.format(n=number, python=sys.executable))
    program.chmod(0o755)
    engine = Engine(tmp_path, tmp_path, str(program))
    seconds = 1.2 if words is SLOW else 120
    start = time.monotonic()
    with pytest.raises(CouldNotRunError, match=words):
        engine.run("up", name="x", limits=Limits(seconds=seconds, size=1_000_000, processes=20))
    assert time.monotonic() - start < 120
    assert left(number) == []


def test_what_a_run_leaves_behind_is_ended_and_what_was_there_before_stays(tmp_path: Path) -> None:
    number = f"9{abs(hash(str(tmp_path))) % 10**6:06}"
    program = tmp_path / "pulumi"
    program.write_text(f"#!/bin/sh\nsetsid -f sleep {number} </dev/null >/dev/null 2>&1\n")
    program.chmod(0o755)
    before = os.posix_spawnp("sleep", ["sleep", f"{number}1"], os.environ)
    try:
        running = Engine(tmp_path, tmp_path, str(program)).begin("up", name="x", limits=Limits())
        assert running.finish().code == 0
        time.sleep(0.1)
        assert left(number)
        running.end()
        assert left(number) == []
        assert left(f"{number}1")
    finally:
        os.kill(before, 9)
        os.waitpid(before, 0)


def test_another_run_under_way_goes_on(tmp_path: Path) -> None:
    number = f"7{abs(hash(str(tmp_path))) % 10**6:06}"
    program = tmp_path / "pulumi"
    program.write_text(f"#!/bin/sh\nsleep {number}\n")
    program.chmod(0o755)
    engine = Engine(tmp_path, tmp_path, str(program))
    first, second = (engine.begin("up", name=name, limits=Limits()) for name in ("a", "b"))
    try:
        second.end(beside=[first])
        assert first.process.poll() is None
    finally:
        first.end()
    assert left(number) == []
