"""Building the zips, and telling when there is nothing to build."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambdas.package.archive import write_archive
from lambdas.package.contents import dependency_files, source_files
from lambdas.package.dependencies import PLATFORMS, PYTHON_VERSION, PackageError, install_dependencies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FUNCTIONS = ("api_handler", "processor")
LAMBDAS = Path(__file__).parent.parent
PROJECT = LAMBDAS.parent
LOCK = PROJECT / "requirements" / "lambdas.txt"


@dataclass(frozen=True, slots=True)
class Built:
    """A zip: where it is, its size in bytes, its SHA-256, and whether it had to be written."""

    path: Path
    size: int
    sha256: str
    fresh: bool


@dataclass(frozen=True, slots=True)
class Stamp:
    """What lies beside a zip: the digest of all that it was made of, and its own."""

    inputs: str
    sha256: str

    @classmethod
    def read(cls, path: Path) -> Stamp | None:
        """The stamp in a file; None when there is none that can be read."""
        try:
            return cls(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def build(
    output: Path,
    *,
    platform: str = "aws",
    lambdas: Path = LAMBDAS,
    lock: Path = LOCK,
    functions: Sequence[str] = FUNCTIONS,
) -> list[Built]:
    """Make sure that each function's zip is there and up to date.

    Args:
        output: the folder of the zips.
        platform: a key of `dependencies.PLATFORMS`.
        lambdas: the folder of the functions' packages.
        lock: the lock of their dependencies.
        functions: which functions.

    Returns:
        The zips, in the order of `functions`.

    Raises:
        PackageError: a zip cannot be built.
    """
    if platform not in PLATFORMS:
        raise PackageError(f"There is no platform {platform!r}; choose one of {', '.join(PLATFORMS)}.")
    if not lock.is_file():
        raise PackageError(f"The lock {lock} is missing, so nothing says what goes into the zips.")
    sources = {function: source_files(lambdas, function) for function in functions}
    digests = {function: _inputs(sources[function], lock, platform) for function in functions}
    current = {function: _current(output, function, digests[function]) for function in functions}
    if not all(current.values()):
        with tempfile.TemporaryDirectory(prefix="tap-lambdas-") as folder:
            target = Path(folder) / "site"
            install_dependencies(lock, target, platform)
            dependencies = dependency_files(target)
            for function in functions:
                if current[function] is None:
                    current[function] = _write(
                        output, function, digests[function], dependencies | sources[function]
                    )
    return [built for built in current.values() if built is not None]


def _write(output: Path, function: str, inputs: str, files: Mapping[str, Path]) -> Built:
    zip_path = output / f"{function}.zip"
    write_archive(zip_path, files)
    sha256 = _digest(zip_path)
    stamp = json.dumps(asdict(Stamp(inputs, sha256)), indent=1) + "\n"
    _stamp_path(output, function).write_text(stamp, "utf-8")
    return Built(zip_path, zip_path.stat().st_size, sha256, fresh=True)


def _current(output: Path, function: str, inputs: str) -> Built | None:
    """The zip that is there, if it is the one that its inputs would give."""
    zip_path = output / f"{function}.zip"
    stamp = Stamp.read(_stamp_path(output, function))
    if stamp is None or stamp.inputs != inputs or not zip_path.is_file() or _digest(zip_path) != stamp.sha256:
        return None
    return Built(zip_path, zip_path.stat().st_size, stamp.sha256, fresh=False)


def _stamp_path(output: Path, function: str) -> Path:
    return output / f".{function}.json"


def _inputs(sources: Mapping[str, Path], lock: Path, platform: str) -> str:
    """The digest of all that a zip follows from: sources, lock, platform, and this builder."""
    digest = hashlib.sha256(f"{platform} {PYTHON_VERSION}\n".encode())
    builder = {f"builder/{path.name}": path for path in sorted(Path(__file__).parent.glob("*.py"))}
    for name, path in {"lock": lock, **builder, **sources}.items():
        content = path.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
