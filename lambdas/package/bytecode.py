"""Compiling ahead, for who asks for it.

Lambda's code folder is read-only, so without bytecode each cold start compiles. Zips still go without it
unless they are asked to have it: were it there whenever the building machine happens to have the functions'
Python, a deployment from another machine would change all functions.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lambdas.package.dependencies import PYTHON_VERSION, PackageError, find_uv

CODE_FOLDER = "/var/task"
MODES = ("never", "always")
VARIABLE = "TAP_LAMBDA_BYTECODE"
"""The environment variable that chooses one of them for all builds of a pipeline."""


class Compiler(NamedTuple):
    """A Python of the functions' version, and which release of it."""

    path: str
    release: str


def find_compiler(mode: str) -> Compiler | None:
    """Return the Python that compiles, or None when the zips go without bytecode.

    Raises:
        PackageError: `mode` asks for bytecode, and there is no Python of the functions' version.
    """
    if mode == "never":
        return None
    for path in _candidates():
        release = _release(path)
        if release.startswith(f"{PYTHON_VERSION}."):
            return Compiler(path, release)
    raise PackageError(
        f"No Python {PYTHON_VERSION} was found, so the functions cannot be compiled ahead, as was asked. "
        f"Install one (uv python install {PYTHON_VERSION}), or build without bytecode: --bytecode never, "
        f"{VARIABLE} unset."
    )


def compile_tree(compiler: Compiler, folder: Path) -> None:
    """Compile every module below a folder, into `__pycache__` beside it.

    The bytecode is marked as never to be checked against its source, since neither ever changes in a zip, and
    names the modules by their place in Lambda, so that it does not depend on this folder.

    Raises:
        PackageError: A module does not compile.
    """
    options = ("-q", "-j", "1", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", CODE_FOLDER)
    command = [compiler.path, "-I", "-m", "compileall", *options, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PackageError(f"Python {compiler.release} cannot compile the functions:\n{done.stdout.strip()}")


def _candidates() -> Iterator[str]:
    if sys.version_info[:2] == tuple(map(int, PYTHON_VERSION.split("."))):
        yield sys.executable
    executable = shutil.which(f"python{PYTHON_VERSION}")
    if executable is not None:
        yield executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from map(str, sorted(pyenv.glob(f"versions/{PYTHON_VERSION}.*/bin/python"), reverse=True))
    command = [*find_uv(), "python", "find", "--no-python-downloads", "--no-project", PYTHON_VERSION]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        yield done.stdout.strip()


def _release(python: str) -> str:
    command = [python, "-I", "-S", "-c", "import platform; print(platform.python_version())"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
