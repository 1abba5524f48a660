"""Keeps the schemas that were read from pulumi_aws: in memory, and in the user's cache for the next run."""

from __future__ import annotations

import functools
import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tapgate.embedded.aws_provider import cache, sdk_source
from tapgate.embedded.aws_provider.model_limits import with_model_limits
from tapgate.embedded.aws_provider.resource_schema import ResourceSchema, from_json, to_json
from tapgate.embedded.aws_provider.types import describe

if TYPE_CHECKING:
    from collections.abc import Callable

_HERE = Path(__file__).parent
_MAKERS = (
    "model_limits",
    "operations",
    "published",
    "resource_schema",
    "sdk_annotations",
    "sdk_source",
    "sdk_text",
)


@functools.cache
def schema_of(token: str) -> ResourceSchema:
    """Give the schema of a resource type.

    Raises:
        sdk_source.UnknownTypeError: pulumi_aws has no such type.
        sdk_source.SdkMissingError: pulumi_aws is not installed.
    """
    return _kept(token, _read)


@functools.cache
def function_schema_of(token: str) -> ResourceSchema:
    """Give the schema of a function: its arguments are the inputs.

    Raises:
        sdk_source.UnknownTypeError: pulumi_aws has no such function.
        sdk_source.SdkMissingError: pulumi_aws is not installed.
    """
    return _kept(token, sdk_source.read_function)


def cache_folder() -> Path:
    """Tell where schemas are cached: a folder for each version of what they are made of and by."""
    return cache.folder("aws-resource-schemas") / f"{sdk_source.package_version()}-{_makers_digest()}"


@functools.cache
def _makers_digest() -> str:
    made = hashlib.sha256(metadata.version("botocore").encode())
    for path in [*(_HERE / f"{name}.py" for name in _MAKERS), *sorted((_HERE / "types").glob("*.py"))]:
        made.update(path.read_bytes())
    return made.hexdigest()[:12]


def _read(token: str) -> ResourceSchema:
    return with_model_limits(sdk_source.read_resource(token), describe(token))


def _kept(token: str, read: Callable[[str], ResourceSchema]) -> ResourceSchema:
    path = cache_folder() / f"{token.replace(':', '.').replace('/', '.')}.json"
    schema = _load(path, token)
    if schema is None:
        schema = read(token)
        cache.keep(path, json.dumps(to_json(schema), separators=(",", ":")))
    return schema


def _load(path: Path, token: str) -> ResourceSchema | None:
    try:
        document = cast("dict[str, object]", json.loads(path.read_text("utf-8")))
        schema = from_json(document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return schema if schema.token == token else None
