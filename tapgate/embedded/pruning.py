"""Bounds of the user's cache: what no run has used for long, or what is too much, goes; what is in use stays.

Only what grows with every project and every clone is bounded: the environments of programs, and bytecode. The
rest is one entry for each version of what it is made of.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from tapgate.embedded.console import say
from tapgate.embedded.paths import DAY, ENVIRONMENTS, MANIFEST, cache_root, read_object, remove_tree

BYTECODE: Final = "bytecode"
MOST_BYTES: Final = {ENVIRONMENTS: 4_000_000_000, BYTECODE: 1_000_000_000}
MOST_DAYS: Final = 30


def prune(now: float | None = None) -> None:
    """Remove what is beyond the bounds; no other run waits for it, or misses anything."""
    root, at = cache_root(), time.time() if now is None else now
    with suppress(OSError):
        removed = [*_environments(root / ENVIRONMENTS, at), *_bytecode(root / BYTECODE, at)]
        if removed:
            say(f"removed from the cache what no run used lately: {readable(sum(removed))} in {root}")


def _environments(folder: Path, now: float) -> Iterator[int]:
    """Remove environments; yield the size of each."""
    for left in folder.glob(".*.partial-*"):
        name = left.name[1:].rpartition(".partial-")[0]
        yield from _removed(folder / name, left, 0)
    folders: list[tuple[float, int, Path]] = []
    for entry in folder.glob("[!.]*"):
        with suppress(OSError):
            used = max(one.stat().st_mtime for one in (entry, entry / MANIFEST) if one.exists())
            folders.append((used, sum(read_object(entry / MANIFEST, int).values()), entry))
    kept = 0
    for used, size, entry in sorted(folders, reverse=True):
        kept += size
        if now - used > MOST_DAYS * DAY or kept > MOST_BYTES[ENVIRONMENTS]:
            yield from _removed(entry, entry, size)


def _removed(entry: Path, what: Path, size: int) -> Iterator[int]:
    """Remove what belongs to an entry, unless a run makes or uses that; yield its size."""
    lock = os.open(entry.with_name(f".{entry.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Gone at once, and then removed: whoever is ended meanwhile leaves no half of it.
            aside = Path(tempfile.mkdtemp(prefix=f".{entry.name}.partial-", dir=entry.parent))
            what.replace(aside / "old")
            remove_tree(aside)
            yield size
    finally:
        os.close(lock)


def _bytecode(folder: Path, now: float) -> Iterator[int]:
    """Remove bytecode; yield the size of each file. Python compiles anew what it misses, in any moment."""
    files: list[tuple[float, int, str]] = []
    for path, _, names in os.walk(folder):
        source = Path("/", Path(path).relative_to(folder))
        old = 0.0 if source.is_dir() else MOST_DAYS * DAY + 1.0  # No one can import it.
        for name in names:
            with suppress(OSError):
                status = os.lstat(os.path.join(path, name))  # noqa: PTH118 - a hundred thousand of them
                used = max(status.st_atime, status.st_mtime)
                files.append((min(used, now - old), status.st_size, f"{path}/{name}"))
    kept = 0
    for used, size, name in sorted(files, reverse=True):
        kept += size
        if now - used > MOST_DAYS * DAY or kept > MOST_BYTES[BYTECODE]:
            with suppress(OSError):
                Path(name).unlink()
                yield size
    for path, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):
            Path(path).rmdir()


def size_of(folder: Path) -> int:
    """Return how many bytes the files below a folder have."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_size  # noqa: PTH118 - as above
    return total


def readable(size: int) -> str:
    """Return a size for people."""
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"
