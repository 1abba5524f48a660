"""Which files go into a function's zip."""

from __future__ import annotations

import fnmatch
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

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
