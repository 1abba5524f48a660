"""Writes the files that a command was asked for, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tapgate.failure import CouldNotRunError


def write_file(body: bytes, target: Path) -> None:
    """Write a file so that a reader sees all of it or the one that was there before.

    Raises:
        CouldNotRunError: the target cannot be written.
    """
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(body)
            return
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
            part.chmod(0o644)
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CouldNotRunError(
            "A file that was asked for cannot be written.",
            where=str(target),
            why=error.strerror or str(error),
            fix="name a file in a folder that exists and can be written.",
        ) from error
