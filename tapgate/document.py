"""Reading of JSON and YAML that somebody else wrote: any shape may come, only the right one is taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""The field by which the engine's documents mark an object that is no plain one, such as a secret."""


def mapping(value: object) -> Mapping[str, object]:
    """Return the value when it is a mapping, else an empty one."""
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def sequence(value: object) -> list[object]:
    """Return the value when it is a list, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def text(value: object) -> str:
    """Return the value when it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> tuple[str, ...]:
    """Return the strings of a list."""
    return tuple(item for item in sequence(value) if isinstance(item, str))


def integer(value: object) -> int:
    """Return the value when it is a whole number, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
