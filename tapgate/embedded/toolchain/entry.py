"""Entries of the cache: folders that are there whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tapgate.embedded.json_object import read_object
from tapgate.embedded.places import make_folder
from tapgate.embedded.toolchain.progress import elapsed, say, still_going

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

MANIFEST = "complete.json"


def is_whole(entry: Path) -> bool:
    """Say whether every file that the entry was finished with is there, with its size."""
    sizes = read_object(entry / MANIFEST, int)
    return bool(sizes) and all(_size(entry / name) == size for name, size in sizes.items())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def get_or_make(entry: Path, make: Callable[[Path], None]) -> Path:
    """Return the entry, made by `make(empty folder)` when it is missing or broken.

    The folder is filled beside its final place and renamed, so that a run that is killed leaves no half
    entry. Of two runs at once one makes it; the other waits, says so, and finds it made.
    """
    if is_whole(entry):
        return entry
    make_folder(entry.parent)
    with locked(entry.with_name(f".{entry.name}.lock")):
        if is_whole(entry):
            return entry
        _remove_abandoned(entry)
        partial = Path(tempfile.mkdtemp(prefix=f".{entry.name}.partial-", dir=entry.parent))
        try:
            make(partial)
            _finish(partial)
            partial.chmod(0o755)
            partial.replace(entry)
        finally:
            remove_tree(partial)
    return entry


def remove_tree(folder: Path) -> None:
    """Remove a folder, if there is one, with the folders in it that may not be written to (Go's modules)."""
    for path, _, _ in os.walk(folder):
        with suppress(OSError):
            Path(path).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _finish(folder: Path) -> None:
    sizes = {
        str(path.relative_to(folder)): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    (folder / MANIFEST).write_text(json.dumps(sizes, indent=1), encoding="utf-8")


def _remove_abandoned(entry: Path) -> None:
    """Remove a broken entry and the partial folders of runs that were killed; only the lock's holder may."""
    for left in (entry, *entry.parent.glob(f".{entry.name}.partial-*")):
        if left.exists():
            say(f"removing what an interrupted run left: {left}")
            remove_tree(left)


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold the lock; while another run holds it, wait and say so."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            started = time.monotonic()
            say("another run is preparing the toolchain; waiting for it")
            with still_going("waiting for the other run"):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            say(f"the other run has finished ({elapsed(time.monotonic() - started)})")
        yield
    finally:
        os.close(descriptor)
