"""The functions' dependencies, installed from their lock into a folder of their own."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PYTHON_VERSION = "3.13"
PLATFORMS = {"aws": "aarch64-manylinux2014", "host": None}
"""uv's names of the platforms that the zips are made for: Lambda on arm64, and the machine that builds."""


class PackageError(Exception):
    """The zips cannot be built; the message says why and what to do."""


def find_uv() -> list[str]:
    """Return the command that runs uv: the one beside the running Python, else the one on PATH.

    Raises:
        PackageError: There is none.
    """
    if importlib.util.find_spec("uv") is not None:
        return [sys.executable, "-m", "uv"]
    executable = shutil.which("uv")
    if executable is None:
        raise PackageError(
            "uv was not found, neither beside this Python nor on PATH, and the functions' dependencies "
            "cannot be installed without it. Install it: python -m pip install uv."
        )
    return [executable]


def install_dependencies(lock: Path, folder: Path, platform: str) -> None:
    """Install a lock's wheels, hashes checked: from uv's cache when it has them all, else from the registry.

    Raises:
        PackageError: Uv is missing, or cannot get a wheel.
    """
    command = [
        *find_uv(),
        *("pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--no-compile-bytecode", "--python-version", PYTHON_VERSION, "--target", str(folder)),
        *(("--python-platform", name) if (name := PLATFORMS[platform]) else ()),
        *("--requirement", str(lock)),
    ]
    environment = {name: value for name, value in os.environ.items() if name != "UV_COMPILE_BYTECODE"}
    for attempt in ([*command, "--offline"], command):
        done = subprocess.run(attempt, capture_output=True, text=True, check=False, env=environment)
        if done.returncode == 0:
            return
    raise PackageError(
        f"The wheels that {lock.name} locks cannot be had for {platform} (Python {PYTHON_VERSION}), so no "
        "zip was built. Connect to a package registry once (later builds take them from uv's cache), or set "
        f"UV_INDEX_URL to one that can be reached. uv says:\n{done.stderr.strip()}"
    )
