"""Building the zips, and telling when there is nothing to build."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lambdas.package.archive import write_archive
from lambdas.package.bytecode import MODES, Compiler, compile_tree, find_compiler
from lambdas.package.contents import FUNCTIONS, SHARED_PACKAGE, add_sources, prune, source_files, zip_files
from lambdas.package.dependencies import PLATFORMS, PYTHON_VERSION, PackageError, install_dependencies

if TYPE_CHECKING:
    from collections.abc import Mapping

LAMBDAS = Path(__file__).parent.parent
PROJECT = LAMBDAS.parent
LOCK = PROJECT / "requirements" / "lambdas.txt"


class Recipe(NamedTuple):
    """What zips are made of and for.

    Attributes:
        lambdas: The folder of the functions' packages.
        lock: The lock of their dependencies.
        platform: A key of `dependencies.PLATFORMS`.
        compiler: The Python that compiles them ahead, or None.
    """

    lambdas: Path = LAMBDAS
    lock: Path = LOCK
    platform: str = "aws"
    compiler: Compiler | None = None

    def digest(self, function: str) -> str:
        """Return a digest of all that a function's zip follows from, this builder included."""
        release = "none" if self.compiler is None else self.compiler.release
        digest = hashlib.sha256(f"{self.platform} {PYTHON_VERSION} {release}\n".encode())
        builder = {f"builder/{path.name}": path for path in sorted(Path(__file__).parent.glob("*.py"))}
        sources = source_files(self.lambdas, (function, SHARED_PACKAGE))
        for name, path in {"lock": self.lock, **builder, **sources}.items():
            content = path.read_bytes()
            digest.update(f"{name} {len(content)}\n".encode())
            digest.update(content)
        return digest.hexdigest()


class Built(NamedTuple):
    """A zip: where it is, its size in bytes, its SHA-256, and whether it had to be written."""

    path: Path
    size: int
    sha256: str
    fresh: bool


def plan(
    platform: str = "aws", bytecode: str = "never", lambdas: Path = LAMBDAS, lock: Path = LOCK
) -> Recipe:
    """Decide what the zips are made of.

    Args:
        platform: A key of `dependencies.PLATFORMS`.
        bytecode: One of `bytecode.MODES`.
        lambdas: The folder of the functions' packages.
        lock: The lock of their dependencies.

    Raises:
        PackageError: The platform or mode is unknown, the lock is missing, or no Python compiles as asked.
    """
    for what, value, known in (("platform", platform, PLATFORMS), ("bytecode mode", bytecode, MODES)):
        if value not in known:
            raise PackageError(f"There is no {what} {value!r}; choose one of {', '.join(known)}.")
    if not lock.is_file():
        raise PackageError(
            f"The lock {lock.name} is missing, so nothing says what goes in. Compile it: nox -s lock."
        )
    return Recipe(lambdas, lock, platform, find_compiler(bytecode))


def build(output: Path, recipe: Recipe) -> list[Built]:
    """Make sure that each function's zip is in a folder, and up to date.

    Returns:
        The zips, in the order of `FUNCTIONS`.

    Raises:
        PackageError: A zip cannot be built.
    """
    digests = {function: recipe.digest(function) for function in FUNCTIONS}
    built = {function: _current(output, function, digest) for function, digest in digests.items()}
    if None in built.values():
        with tempfile.TemporaryDirectory(prefix="tap-lambdas-") as folder:
            site = Path(folder) / "site"
            _fill(site, recipe)
            for function, digest in digests.items():
                built[function] = built[function] or _write(
                    output, function, digest, zip_files(site, function)
                )
    return [each for each in built.values() if each is not None]


def _fill(site: Path, recipe: Recipe) -> None:
    install_dependencies(recipe.lock, site, recipe.platform)
    prune(site)
    add_sources(site, source_files(recipe.lambdas, (*FUNCTIONS, SHARED_PACKAGE)))
    if recipe.compiler is not None:
        compile_tree(recipe.compiler, site)


def _write(output: Path, function: str, inputs: str, files: Mapping[str, Path]) -> Built:
    zip_path = output / f"{function}.zip"
    write_archive(zip_path, files)
    sha256 = _sha256(zip_path)
    stamp = json.dumps({"inputs": inputs, "sha256": sha256}, indent=1) + "\n"
    _stamp(output, function).write_text(stamp, "utf-8")
    return Built(zip_path, zip_path.stat().st_size, sha256, fresh=True)


def _current(output: Path, function: str, inputs: str) -> Built | None:
    """Return the zip that is there, if it is the one that its inputs would give."""
    zip_path = output / f"{function}.zip"
    try:
        stamp = json.loads(_stamp(output, function).read_text("utf-8"))
        sha256 = _sha256(zip_path)
    except (OSError, ValueError):
        return None
    if stamp != {"inputs": inputs, "sha256": sha256}:
        return None
    return Built(zip_path, zip_path.stat().st_size, sha256, fresh=False)


def _stamp(output: Path, function: str) -> Path:
    return output / f".{function}.json"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
