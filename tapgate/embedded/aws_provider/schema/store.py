"""Keeps the package schema in the user's cache: it is made once for each version of pulumi_aws."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider import cache, sdk_annotations, sdk_source, sdk_text
from tapgate.embedded.aws_provider.schema import package, type_names

if TYPE_CHECKING:
    from types import ModuleType

_MAKERS: tuple[ModuleType, ...] = (package, type_names, sdk_annotations, sdk_source, sdk_text)
"""The modules that decide what is in a schema: a change of theirs is another entry of the cache."""


def schema_text() -> str:
    """Return the schema of the installed pulumi_aws as JSON.

    Raises:
        sdk_source.SdkMissingError: It is not installed.
    """
    path = cache_file()
    text = _load(path)
    if text is None:
        text = json.dumps(package.generate(), separators=(",", ":"))
        cache.keep(path, f"{_seal(text)}\n{text}")
    return text


def cache_file() -> Path:
    """Return where the schema is cached."""
    digest = hashlib.sha256()
    for module in _MAKERS:
        digest.update(Path(str(module.__file__)).read_bytes())
    name = f"{sdk_source.package_version()}-{digest.hexdigest()[:12]}.json"
    return cache.folder("aws-schema") / name


def _load(path: Path) -> str | None:
    """Return a cached schema; None when there is none, or not the whole of one."""
    try:
        seal, _, text = path.read_text("utf-8").partition("\n")
    except (OSError, ValueError):
        return None
    return text if text and seal == _seal(text) else None


def _seal(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"
