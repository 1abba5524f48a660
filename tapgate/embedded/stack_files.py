"""Keep the checkout's `Pulumi.<stack>.yaml` as they are committed while the embedded backend uses them.

On a backend that is a folder the engine writes the passphrase provider's salt into a stack's file, at the
first preview already. That would leave every checkout changed, would tie the stack to the stand-in passphrase
when it is deployed for real, and two previews at once would write one file. So the salt is put in before and
taken out after.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from tapgate.embedded.places import ROOT, checkout_folder, make_folder
from tapgate.embedded.stacks import SALT
from tapgate.embedded.toolchain.progress import say

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_LINE = f"encryptionsalt: {SALT}\n"
_OWN_PROVIDER = ("encryptionsalt:", "secretsprovider:", "encryptedkey:")


@contextlib.contextmanager
def salted(root: Path = ROOT) -> Generator[None]:
    """Have the salt in the stack files during the block; the last run to leave takes it out."""
    descriptor = _open_lock(root)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        for path in _stack_files(root):
            text = _read(path)
            if any(line.startswith(_OWN_PROVIDER) for line in text.splitlines()):
                if _LINE not in text:
                    say(f"{path.name} names secrets of your own: its previews need their passphrase or key")
            else:
                _replace(path, text + ("" if text.endswith("\n") or not text else "\n") + _LINE)
        yield
    finally:
        _take_out(descriptor, root)
        os.close(descriptor)


def unsalted(root: Path = ROOT) -> None:
    """Take the salt out, unless an embedded run is under way in this checkout."""
    descriptor = _open_lock(root)
    try:
        _take_out(descriptor, root)
    finally:
        os.close(descriptor)


def _take_out(descriptor: int, root: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    for path in _stack_files(root):
        text = _read(path)
        # A secret that was set meanwhile can be read with this salt only.
        if _LINE not in text or "secure:" in text:
            continue
        rest = text.replace(_LINE, "")
        if rest.strip() in {"", "{}"}:
            path.unlink()
        else:
            _replace(path, rest)


def _read(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _replace(path: Path, text: str) -> None:
    """Put the text in place whole; a checkout that cannot be written to does without, as the engine does."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with contextlib.suppress(PermissionError):
        partial.write_text(text, encoding="utf-8", newline="")
        partial.chmod(path.stat().st_mode & 0o777)
        partial.replace(path)


def _stack_files(root: Path) -> list[Path]:
    return sorted(root.glob("Pulumi.*.yaml"))


def _open_lock(root: Path) -> int:
    path = make_folder(checkout_folder(root)) / "in-use.lock"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
