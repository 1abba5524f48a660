"""Which files go into the functions' zips, building these, and telling when there is nothing to build."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from lambdas.package.bytecode import MODES, Compiler, compile_tree, find_compiler
from lambdas.package.dependencies import PLATFORMS, PYTHON_VERSION, PackageError, install_dependencies

FUNCTIONS = ("api_handler", "processor")
SHARED_PACKAGE = "tap_items"

# botocore carries the descriptions of all of AWS's services; these are the ones that the functions call, and
# the files that every client reads.
BOTOCORE_DATA = frozenset(
    {
        "_retry.json",
        "dynamodb",
        "endpoints.json",
        "partitions.json",
        "s3",
        "sdk-default-configuration.json",
        "sqs",
    }
)

LEFT_OUT = (
    "*.pyi",
    "*/examples-1.json",
    "*/py.typed",
    ".lock",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*",
    "aws_lambda_powertools/utilities/data_masking/*",
    "aws_lambda_powertools/utilities/feature_flags/*",
    "aws_lambda_powertools/utilities/idempotency/*",
    "aws_lambda_powertools/utilities/kafka/*",
    "aws_lambda_powertools/utilities/parameters/*",
    "aws_lambda_powertools/utilities/parser/*",
    "aws_lambda_powertools/utilities/streaming/*",
    "aws_lambda_powertools/utilities/validation/*",
    "bin/*",
    "boto3/data/*",
    "boto3/examples/*",
    "dateutil/zoneinfo/*.tar.gz",
    "urllib3/contrib/emscripten/*",
)


def source_files(lambdas: Path, packages: Iterable[str]) -> dict[str, Path]:
    """Return the project's own modules in some packages, by their name in a zip."""
    return {
        path.relative_to(lambdas).as_posix(): path
        for package in packages
        for path in sorted((lambdas / package).rglob("*.py"))
    }


def prune(site: Path) -> None:
    """Remove what no function needs from a folder of installed dependencies."""
    for path in sorted(site.rglob("*")):
        if path.is_file() and not wanted(PurePosixPath(path.relative_to(site))):
            path.unlink()


def add_sources(site: Path, sources: dict[str, Path]) -> None:
    """Put the project's own modules beside the dependencies."""
    for name, path in sources.items():
        destination = site / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, destination)


def zip_files(site: Path, function: str) -> dict[str, Path]:
    """Return the files of one function's zip: all below a folder but the other functions' packages."""
    others = set(FUNCTIONS) - {function}
    files = {path.relative_to(site).as_posix(): path for path in sorted(site.rglob("*")) if path.is_file()}
    return {name: path for name, path in files.items() if name.partition("/")[0] not in others}


def wanted(path: PurePosixPath) -> bool:
    """Return whether a dependency's file goes into the zips; its path is from the folder of installation."""
    if path.parts[0].endswith(".dist-info"):
        return "licenses" in path.parts or path.name.upper().startswith(("LICENSE", "NOTICE"))
    if path.parts[:2] == ("botocore", "data") and path.parts[2] not in BOTOCORE_DATA:
        return False
    return not any(fnmatch.fnmatchcase(path.as_posix(), pattern) for pattern in LEFT_OUT)


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


LAMBDAS = Path(__file__).parent.parent
PROJECT = LAMBDAS.parent
LOCK = PROJECT / "requirements" / "lambdas.txt"


class Recipe(NamedTuple):
    """What zips are made of and for.

    Attributes:
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
