"""Have the Lambda functions' archives built before a program asks for them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tapgate.embedded.places import ROOT, checkout_folder, write_atomically
from tapgate.embedded.toolchain.progress import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ARCHIVES = ("dist/api_handler.zip", "dist/processor.zip")
COMMAND = "python -m lambdas.package"


def ensure_archives(root: Path = ROOT) -> bool:
    """Build the archives when their sources have changed since the last time; say whether they are there.

    A failure is told and not raised: a command that deploys no Lambda code does well without.
    """
    stamp = checkout_folder(root) / "lambda-code.stamp"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == _fingerprint(root):
        return True
    if not (root / "lambdas" / "package" / "__main__.py").exists():
        say(f"the Lambda functions' archives cannot be built: lambdas/package is missing in {root}")
        return False
    outcome = subprocess.run(
        [sys.executable, "-m", "lambdas.package"], cwd=root, stdout=sys.stderr, check=False
    )
    missing = [archive for archive in ARCHIVES if not (root / archive).exists()]
    if outcome.returncode or missing:
        say(f"`{COMMAND}` did not build {' and '.join(missing or ARCHIVES)}; what deploys them will not run")
        return False
    write_atomically(stamp, _fingerprint(root))
    return True


def _fingerprint(root: Path) -> str:
    """A hash that changes with the sources, the lock of what is bundled, and the archives themselves."""
    digest = hashlib.sha256(os.environ.get("TAP_LAMBDA_BYTECODE", "").encode())
    for path in _watched(root):
        try:
            status = path.stat()
            digest.update(f"{path.relative_to(root)}|{status.st_size}|{status.st_mtime_ns}\n".encode())
        except FileNotFoundError:
            digest.update(f"{path.relative_to(root)}|missing\n".encode())
    return digest.hexdigest()


def _watched(root: Path) -> Iterator[Path]:
    for path in sorted((root / "lambdas").rglob("*")):
        if path.suffix != ".pyc" and not path.is_dir():
            yield path
    yield root / "requirements" / "lambdas.txt"
    yield from (root / archive for archive in ARCHIVES)
