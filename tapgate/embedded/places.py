"""Where the embedded default keeps its files: in the user's cache folder, never in the checkout."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from tapgate.embedded.failure import Failure

ROOT = Path(__file__).resolve().parents[2]
"""The checkout that this package belongs to."""


def cache_root() -> Path:
    """`${XDG_CACHE_HOME:-~/.cache}/tap-guardrails`.

    A relative XDG_CACHE_HOME is ignored, as its standard asks.
    """
    named = os.environ.get("XDG_CACHE_HOME", "")
    if named and Path(named).is_absolute():
        return Path(named) / "tap-guardrails"
    try:
        return Path.home() / ".cache" / "tap-guardrails"
    except RuntimeError as error:
        raise Failure(
            "No folder for caches can be found",
            why="the Pulumi CLI and the local state are kept there",
            fix="set HOME or XDG_CACHE_HOME to a folder that can be written to",
        ) from error


def checkout_folder(root: Path = ROOT) -> Path:
    """The cache folder of one checkout: its state, its Pulumi home, its stand-ins."""
    key = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    return cache_root() / "checkouts" / f"{root.name}-{key}"


def make_folder(path: Path) -> Path:
    """Create the folder and its parents, or say what keeps it from being created."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(
            "A folder cannot be created",
            where=str(path),
            why=f"{error.strerror}; the Pulumi CLI and the local state are kept there",
            fix="make it writable, or set XDG_CACHE_HOME to a folder that is",
        ) from error
    return path


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Put a file in place whole: readers see the old text or the new one."""
    make_folder(path.parent)
    # A name of its own for each writer: threads of one process may put the same file in place at once.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
    partial = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        partial.chmod(mode)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
