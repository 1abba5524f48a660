"""Which files go into a function's zip."""

from __future__ import annotations

import fnmatch
from pathlib import Path, PurePosixPath

SHARED_PACKAGE = "tap_items"

# botocore carries the descriptions of all of AWS's services; these are the ones that the functions call, and
# the files that every client reads.
BOTOCORE_DATA = frozenset(
    {
        "dynamodb",
        "s3",
        "sqs",
        "_retry.json",
        "endpoints.json",
        "partitions.json",
        "sdk-default-configuration.json",
    }
)

LEFT_OUT = (
    "*.pyi",
    "py.typed",
    "*/py.typed",
    "*/__pycache__/*",
    "bin/*",
    ".lock",
    "boto3/data/*",
    "boto3/examples/*",
    "dateutil/zoneinfo/*.tar.gz",
    "urllib3/contrib/emscripten/*",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*",
    "aws_lambda_powertools/utilities/data_masking/*",
    "aws_lambda_powertools/utilities/feature_flags/*",
    "aws_lambda_powertools/utilities/idempotency/*",
    "aws_lambda_powertools/utilities/kafka/*",
    "aws_lambda_powertools/utilities/parameters/*",
    "aws_lambda_powertools/utilities/parser/*",
    "aws_lambda_powertools/utilities/streaming/*",
    "aws_lambda_powertools/utilities/validation/*",
)


def wanted_dependency(path: PurePosixPath) -> bool:
    """Whether a dependency's file goes into the zip; its path is from the folder of installation."""
    first, second = path.parts[0], path.parts[1:2]
    if first.endswith(".dist-info"):
        return "licenses" in path.parts or path.name.upper().startswith(("LICENSE", "NOTICE"))
    if path.parts[:2] == ("botocore", "data") and second:
        return path.parts[2] in BOTOCORE_DATA
    return not any(fnmatch.fnmatchcase(path.as_posix(), pattern) for pattern in LEFT_OUT)


def source_files(lambdas: Path, function: str) -> dict[str, Path]:
    """The project's own files in a function's zip, by their name in it."""
    return {
        path.relative_to(lambdas).as_posix(): path
        for package in (function, SHARED_PACKAGE)
        for path in sorted((lambdas / package).rglob("*.py"))
    }


def dependency_files(target: Path) -> dict[str, Path]:
    """The installed dependencies' files that go into the zips, by their name in them."""
    files = sorted(path for path in target.rglob("*") if path.is_file())
    found = {path.relative_to(target).as_posix(): path for path in files}
    return {name: path for name, path in found.items() if wanted_dependency(PurePosixPath(name))}
