"""The part of JSON Schema (2020-12) that the API's models use: one description checks and documents.

The OpenAPI document publishes the same schemas, so the two cannot drift apart.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tap_items.json_text import JsonValue

Schema = dict[str, Any]

_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)


class Violation(NamedTuple):
    """One way in which a value breaks its schema: a JSON Pointer (RFC 6901) and what is required there."""

    pointer: str
    detail: str


def violations(value: JsonValue, schema: Schema, pointer: str = "") -> Iterator[Violation]:
    """Check a value; the details tell what is required and never repeat the value."""
    check = _CHECKS[schema["type"]]
    yield from check(value, schema, pointer)


def parse_date_time(text: str) -> dt.datetime | None:
    """Read an RFC 3339 date-time; None when it is none, or has no place in the calendar of UTC."""
    if not _DATE_TIME.fullmatch(text):
        return None
    try:
        return dt.datetime.fromisoformat(text.upper()).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _object(value: JsonValue, schema: Schema, pointer: str) -> Iterator[Violation]:
    if not isinstance(value, dict):
        yield Violation(pointer, "must be an object")
        return
    known: Mapping[str, Schema] = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield Violation(f"{pointer}/{name}", "is required")
    if not schema.get("additionalProperties", True):
        unknown = len(value.keys() - known.keys())
        if unknown:
            yield Violation(pointer, f"has {unknown} unknown member(s); known are: {', '.join(known)}")
    for name, member in known.items():
        if name in value:
            yield from violations(value[name], member, f"{pointer}/{name}")


def _array(value: JsonValue, schema: Schema, pointer: str) -> Iterator[Violation]:
    if not isinstance(value, list):
        yield Violation(pointer, "must be an array")
        return
    if len(value) > schema["maxItems"]:
        yield Violation(pointer, f"must have at most {schema['maxItems']} items")
        return
    if schema.get("uniqueItems", False) and any(item in value[:index] for index, item in enumerate(value)):
        yield Violation(pointer, "must not have the same item twice")
    for index, item in enumerate(value):
        yield from violations(item, schema["items"], f"{pointer}/{index}")


def _string(value: JsonValue, schema: Schema, pointer: str) -> Iterator[Violation]:
    if not isinstance(value, str):
        yield Violation(pointer, "must be a string")
        return
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield Violation(
            pointer, f"must have {schema.get('minLength', 0)} to {schema['maxLength']} characters"
        )
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        yield Violation(pointer, f"must match {schema['pattern']}")
    if schema.get("format") == "date-time" and parse_date_time(value) is None:
        yield Violation(pointer, "must be a date and time of RFC 3339, with an offset")


def _integer(value: JsonValue, schema: Schema, pointer: str) -> Iterator[Violation]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield Violation(pointer, "must be an integer")
    elif not schema["minimum"] <= value <= schema["maximum"]:
        yield Violation(pointer, f"must lie between {schema['minimum']} and {schema['maximum']}")


_CHECKS: dict[str, Callable[[JsonValue, Schema, str], Iterator[Violation]]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
}
