"""Keeps the shapes that were read from pulumi_aws: in memory, and in the user's cache for the next run."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import tempfile
from pathlib import Path
from typing import cast

from local.aws_provider import sdk_source
from local.aws_provider.shapes import ResourceShape, from_json, to_json

_FORMAT = 1


@functools.cache
def shape_of(token: str) -> ResourceShape:
    """Give the shape of a resource type.

    Raises:
        sdk_source.UnknownTypeError: pulumi_aws has no such type.
        sdk_source.SdkMissingError: pulumi_aws is not installed.
    """
    path = cache_folder() / f"{token.replace(':', '.').replace('/', '.')}.json"
    shape = _load(path, token)
    if shape is None:
        shape = sdk_source.read_resource(token)
        _save(path, shape)
    return shape


def cache_folder() -> Path:
    """Tell where shapes are cached: a folder for each version of pulumi_aws and of the files' form."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(home).expanduser() / "tap-guardrails" / "aws-shapes"
    return folder / f"{sdk_source.package_version()}-{_FORMAT}"


def _load(path: Path, token: str) -> ResourceShape | None:
    try:
        document = cast("dict[str, object]", json.loads(path.read_text("utf-8")))
        shape = from_json(document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return shape if shape.token == token else None


def _save(path: Path, shape: ResourceShape) -> None:
    # A cache that cannot be written costs milliseconds, so it is no error.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-", suffix=".json")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(to_json(shape), file, separators=(",", ":"))
        Path(name).replace(path)
