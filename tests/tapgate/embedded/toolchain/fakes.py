"""Executables for tests to find: small scripts that answer as the real ones do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapgate.embedded.toolchain.search import LANGUAGE_HOSTS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def script(path: Path, body: str) -> Path:
    """Write an executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def cli(folder: Path, prints: str = "v3.300.1", hosts: Iterable[str] = LANGUAGE_HOSTS) -> Path:
    """Write a `pulumi` that prints its version, with its language hosts beside it."""
    for host in hosts:
        script(folder / host, "exit 0")
    return script(folder / "pulumi", f"echo '{prints}'")
