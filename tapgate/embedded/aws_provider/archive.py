"""The bytes of an archive that a program gives: a zip file, a folder, or files one by one."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.embedded.aws_provider.values import Blob

_MOMENT = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16


class ArchiveError(ValueError):
    """The archive cannot be read; the message says which and why."""


def zipped(blob: Blob) -> bytes:
    """Return an archive as a zip file: the same content gives the same bytes.

    Raises:
        ArchiveError: A file of it cannot be read, or it is not on this machine.
    """
    path = Path(blob.path)
    if blob.path and path.is_file():
        return path.read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in sorted(_members(blob)):
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.external_attr = _MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, content)
    return buffer.getvalue()


def digest(blob: Blob) -> str:
    """Return the SHA-256 of an archive's zip file as Lambda tells it: in base 64."""
    return base64.b64encode(hashlib.sha256(zipped(blob)).digest()).decode()


def _members(blob: Blob, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    if blob.text is not None:
        yield prefix, blob.text.encode()
    elif blob.assets:
        for name, member in blob.assets.items():
            yield from _members(member, f"{prefix}/{name}" if prefix else name)
    elif blob.path:
        yield from _files(Path(blob.path), prefix)
    else:
        msg = (
            f"The code at `{blob.uri}` is not on this machine, and the stand-in downloads nothing. Fix:"
            " give a file"
            if blob.uri
            else "The code is empty. Lambda needs some. Fix: give an archive with the function's files"
        )
        raise ArchiveError(msg)


def _files(path: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    if path.is_file():
        yield prefix or path.name, path.read_bytes()
    elif path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file():
                name = file.relative_to(path).as_posix()
                yield (f"{prefix}/{name}" if prefix else name), file.read_bytes()
    else:
        msg = (
            f"The code `{path}` does not exist. Lambda needs it. "
            "Fix: build it (python -m lambdas.package), or correct the path"
        )
        raise ArchiveError(msg)
