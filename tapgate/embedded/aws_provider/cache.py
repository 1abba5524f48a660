"""Files that are kept for the next run, in the user's cache folder."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tapgate.embedded.console import Failure
from tapgate.embedded.paths import cache_root, write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def folder(name: str) -> Path:
    """Return where files of one kind are kept.

    Args:
        name: The kind, e.g. `aws-schemas`.
    """
    return cache_root() / name


def keep(path: Path, text: str) -> None:
    """Put a file in place whole, so that runs at the same time see the old one or the new one.

    What is in it can be made anew, so a cache that cannot be written to is no error.
    """
    with contextlib.suppress(OSError, Failure):
        write_atomically(path, text)
