"""JSON as this service reads and writes it: RFC 8259 without its ambiguities (I-JSON, RFC 7493)."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterable
from typing import Any, NoReturn, TypeAlias, cast

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = "dict[str, JsonValue]"

MAX_DEPTH = 32
"""Deepest nesting of arrays and objects that is read."""

MAX_DIGITS = 400
"""Longest integer that is read, in digits: any longer is no number that another JSON reader would keep."""


class JsonTextError(ValueError):
    """The text is not the JSON that this service reads; the message carries none of the text."""


def parse_json(text: bytes) -> JsonValue:
    """Read one JSON value from UTF-8 bytes.

    Raises:
        JsonTextError: Malformed JSON, not UTF-8, a name that stands twice in one object (as written or after
            Unicode normalisation), a lone surrogate, NaN or an infinity, a number out of range, or nesting
            deeper than `MAX_DEPTH`.
    """
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"not UTF-8 (byte {error.start})"
        raise JsonTextError(message) from None
    try:
        value = cast(
            "JsonValue",
            json.loads(
                decoded,
                object_pairs_hook=_object,
                parse_constant=_constant,
                parse_float=_float,
                parse_int=_integer,
            ),
        )
    except json.JSONDecodeError as error:
        message = f"malformed JSON (line {error.lineno}, column {error.colno})"
        raise JsonTextError(message) from None
    except RecursionError:
        message = f"nested deeper than {MAX_DEPTH} levels"
        raise JsonTextError(message) from None
    _check(value, 0)
    return value


def canonical_json(value: JsonValue) -> bytes:
    """Write a value so that equal values give equal bytes: sorted names, no spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    seen: set[str] = set()
    for name, value in pairs:
        normal = unicodedata.normalize("NFC", name)
        if normal in seen:
            raise JsonTextError("a name stands twice in one object")
        seen.add(normal)
        result[name] = value
    return result


def _constant(_name: str) -> NoReturn:
    raise JsonTextError("NaN and infinities are not JSON")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise JsonTextError("a number is out of range")
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise JsonTextError("a number is out of range")
    return int(text)


def _check(value: JsonValue, depth: int) -> None:
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise JsonTextError("a string holds half of a surrogate pair") from None
    elif isinstance(value, list | dict):
        if depth == MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels"
            raise JsonTextError(message)
        parts = value if isinstance(value, list) else (*value.keys(), *value.values())
        for child in parts:
            _check(child, depth + 1)
