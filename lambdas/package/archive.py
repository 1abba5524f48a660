"""Zips whose bytes follow from the files' names and contents alone."""

from __future__ import annotations

import os
import stat
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EPOCH = (1980, 1, 1, 0, 0, 0)
MODE = stat.S_IFREG | 0o644
UNIX = 3


def write_archive(destination: Path, files: Mapping[str, Path]) -> None:
    """Write a zip, in one move: no one ever sees half of it.

    The files are stored, not deflated: what deflate writes differs between versions of zlib, and a zip that
    differs makes Pulumi deploy a function that did not change.

    Args:
        destination: The zip's path; its folder is made when missing.
        files: Where each entry's content is, by the entry's name.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{destination.name}.", dir=destination.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for entry in sorted(files):
                info = zipfile.ZipInfo(entry, EPOCH)
                info.create_system = UNIX
                info.external_attr = MODE << 16
                archive.writestr(info, files[entry].read_bytes())
        temporary.chmod(0o644)
        temporary.replace(destination)
    finally:
        temporary.unlink(missing_ok=True)
