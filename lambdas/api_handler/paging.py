"""Paging through items: the page's size and the cursor that leads to the next one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from api_handler.problem import INVALID_PARAMETER, ProblemError
from tap_items.record import ItemKey
from tap_items.schema import Schema, violations

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT_SCHEMA: Schema = {"type": "integer", "minimum": 1, "maximum": 100}
DEFAULT_LIMIT = 20
CURSOR_PATTERN = "^[0-9a-f]{32}-[0-9]{1,15}$"
"""The last record's id and timestamp (ms since 1970, below `record.END_OF_TIME`)."""


def write_cursor(key: ItemKey) -> str:
    """Return the cursor that goes on after a key."""
    return f"{key.id}-{key.timestamp}"


def read_page(query: Mapping[str, str]) -> tuple[int, ItemKey | None]:
    """Read `limit` and `cursor` from a query.

    Raises:
        ProblemError: One of them is invalid, or there is any other parameter.
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
    if not re.fullmatch(CURSOR_PATTERN, text):
        raise ProblemError(INVALID_PARAMETER, "cursor must be the `nextCursor` of an earlier page.")
    item_id, _, timestamp = text.partition("-")
    return ItemKey(item_id, int(timestamp))
