"""Ends what a command started and left running, however deep it is hidden.

A process group does not hold who makes a session of their own. On Linux this process adopts its orphaned
descendants, so that whatever is left is found below it; elsewhere those are ended that are in its group
or below it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_ADOPT: Final = 36
"""PR_SET_CHILD_SUBREAPER of linux/prctl.h."""
_PROC: Final = Path("/proc")
_LAST_SECONDS: Final = 20.0
_STAT_BYTES: Final = 4096


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends; does nothing where the system cannot."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(_ADOPT, 1, 0, 0, 0)


def children() -> frozenset[int]:
    """Return the processes whose parent this one is."""
    own = os.getpid()
    return frozenset(pid for pid, parent in _processes() if parent == own)


def more_below(pid: int, most: int) -> bool:
    """Say whether there are more than so many processes below one."""
    if _PROC.is_dir() and sum(map(str.isdecimal, os.listdir(_PROC))) <= most:  # noqa: PTH208 - as below
        return False
    return len(_below({pid}, dict(_processes()))) - 1 > most


def end_below(process: subprocess.Popen[bytes], before: frozenset[int]) -> None:
    """End a command, and everything that it started: in its group, below it, or orphaned since.

    Args:
        process: the command; it may have ended.
        before: this process's children from before the command, which have nothing to do with it.
    """
    deadline = time.monotonic() + _LAST_SECONDS
    # Who loses its parent while the list is read may be missing from it, but not from the next one as well.
    empty = 0
    while empty < 2 and time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        parents = dict(_processes())
        orphans = {pid for pid, parent in parents.items() if parent == os.getpid()} - before - {process.pid}
        left = _below({process.pid, *orphans}, parents) - {process.pid}
        # Stopped first, none of them can start another one while the others end.
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
        for pid in orphans:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        empty = empty + 1 if process.poll() is not None and not left else 0
        time.sleep(0.01)


def _below(roots: set[int], parents: Mapping[int, int]) -> set[int]:
    """Return the processes and all their descendants."""
    of: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        of.setdefault(parent, []).append(pid)
    descendants, waiting = set(roots), list(roots)
    while waiting:
        fresh = [pid for pid in of.get(waiting.pop(), ()) if pid not in descendants]
        descendants.update(fresh)
        waiting.extend(fresh)
    return descendants


def _processes() -> Iterator[tuple[int, int]]:
    """Yield each process with its parent; none where the system does not tell."""
    if not _PROC.is_dir():
        yield from _listed()
        return
    for entry in os.listdir(_PROC):  # noqa: PTH208 - a hundred times a second, names are enough
        if entry.isdecimal():
            # pid (name) state parent …; the name may hold anything, parentheses included.
            path = f"{_PROC}/{entry}/stat"
            with contextlib.suppress(OSError, ValueError, IndexError), open(path, "rb", 0) as stat:  # noqa: PTH123
                yield int(entry), int(stat.read(_STAT_BYTES).rpartition(b")")[2].split(None, 2)[1])


def _listed() -> Iterator[tuple[int, int]]:
    """Yield the same where there is no /proc, as on macOS."""
    try:
        done = subprocess.run(
            ["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, timeout=_LAST_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    for line in done.stdout.splitlines():
        with contextlib.suppress(ValueError):
            pid, parent = map(int, line.split())
            yield pid, parent
