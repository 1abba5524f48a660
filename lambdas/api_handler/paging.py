"""Paging through items: the page's size and the cursor that leads to the next one."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, cast

from api_handler.problem import INVALID_PARAMETER, ProblemError
from tap_items.item import ID_PATTERN
from tap_items.json_text import JsonTextError, canonical_json, parse_json
from tap_items.message import TIMESTAMP_SCHEMA
from tap_items.record import ItemKey
from tap_items.schema import Schema, violations

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT_SCHEMA: Schema = {"type": "integer", "minimum": 1, "maximum": 100}
DEFAULT_LIMIT = 20
CURSOR_PATTERN = "^[A-Za-z0-9_-]{1,256}$"

_CURSOR_SCHEMA: Schema = {
    "type": "object",
    "required": ["id", "timestamp"],
    "additionalProperties": False,
    "properties": {"id": {"type": "string", "pattern": ID_PATTERN}, "timestamp": TIMESTAMP_SCHEMA},
}


def write_cursor(key: ItemKey) -> str:
    """The cursor that goes on after a key."""
    text = canonical_json({"id": key.id, "timestamp": key.timestamp})
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode("ascii")


def read_page(query: Mapping[str, str]) -> tuple[int, ItemKey | None]:
    """Read `limit` and `cursor` from a query.

    Raises:
        ProblemError: one of them is invalid, or there is any other parameter.
    """
    if query.keys() - {"limit", "cursor"}:
        raise ProblemError(INVALID_PARAMETER, "The query may hold `limit` and `cursor`, nothing else.")
    return _limit(query.get("limit")), _cursor(query.get("cursor"))


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not re.fullmatch("[0-9]{1,3}", text) or tuple(violations(int(text), LIMIT_SCHEMA)):
        raise ProblemError(
            INVALID_PARAMETER,
            f"limit must be a whole number from {LIMIT_SCHEMA['minimum']} to {LIMIT_SCHEMA['maximum']}.",
        )
    return int(text)


def _cursor(text: str | None) -> ItemKey | None:
    if text is None:
        return None
    problem = ProblemError(INVALID_PARAMETER, "cursor must be the `nextCursor` of an earlier page.")
    if not re.fullmatch(CURSOR_PATTERN, text):
        raise problem
    try:
        value = parse_json(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, JsonTextError):
        raise problem from None
    if tuple(violations(value, _CURSOR_SCHEMA)):
        raise problem
    members = cast("dict[str, int | str]", value)
    return ItemKey(cast("str", members["id"]), cast("int", members["timestamp"]))
