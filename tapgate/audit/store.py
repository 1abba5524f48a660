"""Keeps results, so that an interrupted audit goes on where it was and an unchanged state costs nothing.

A result is kept under a digest of the state and of the packs; it can never be taken for that of another.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tapgate.atomic_write import write_file
from tapgate.failure import CouldNotRunError
from tapgate.reports.verdict_file import ShapeError, VerdictFile, from_json, to_json

if TYPE_CHECKING:
    from tapgate.findings import Report


def default_folder() -> Path:
    """Return the folder in the user's cache where results are kept."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "tap-guardrails" / "audit"


@dataclass(frozen=True, slots=True)
class Store:
    """Results by key, one file each, in a folder that only the user can read.

    Attributes:
        folder: the folder.
    """

    folder: Path

    def get(self, key: str) -> Report | None:
        """Return a result, or nothing when there is none that can be read."""
        try:
            (report,) = from_json(self._path(key).read_bytes()).stacks
        except (OSError, ShapeError, ValueError):
            return None
        return report

    def put(self, key: str, report: Report) -> None:
        """Keep a result, whole or not at all; one that cannot be kept only costs time later."""
        path = self._path(key)
        with suppress(OSError, CouldNotRunError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_file(to_json(VerdictFile.of("audit", [report])).encode(), path)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}.json"
