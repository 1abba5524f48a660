"""Files that are kept for the next run, in the user's cache folder."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def folder(name: str) -> Path:
    """Tell where files of one kind are kept.

    Args:
        name: The kind, e.g. `aws-shapes`.
    """
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "tap-guardrails" / name


def keep(path: Path, text: str) -> None:
    """Put a file in place whole, so that runs at the same time see the old one or the new one.

    What is in it can be made anew, so a cache that cannot be written to is no error.
    """
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-", suffix=path.suffix)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
