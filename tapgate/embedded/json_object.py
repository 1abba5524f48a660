"""Read a JSON object whose values are of one kind, as the small files of the cache are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from pathlib import Path

Value = TypeVar("Value", str, int)


def read_object(path: Path, of: type[Value]) -> dict[str, Value]:
    """The object in the file; empty when there is no file or anything else is in it."""
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    entries = cast("dict[str, object]", content)
    return {key: value for key, value in entries.items() if isinstance(value, of)}
