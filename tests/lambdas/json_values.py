"""Hypothesis strategies for JSON values and for items."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from tap_items.json_text import JsonValue

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)


def _distinct(members: dict[str, JsonValue]) -> bool:
    return len({unicodedata.normalize("NFC", name) for name in members}) == len(members)


def json_values(max_leaves: int = 25) -> SearchStrategy[JsonValue]:
    """Any JSON value that the service reads."""
    scalars: SearchStrategy[JsonValue] = st.none() | st.booleans() | NUMBERS | TEXT
    return st.recursive(scalars, _containers, max_leaves=max_leaves)


def json_objects() -> SearchStrategy[dict[str, JsonValue]]:
    return st.dictionaries(TEXT, json_values(), max_size=5).filter(_distinct)


def items() -> SearchStrategy[dict[str, Any]]:
    """Valid items."""
    strategy: SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
        {"type": st.from_regex(r"[a-z][a-z0-9.-]{0,63}", fullmatch=True), "payload": json_objects()},
        optional={
            "source": st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128),
            "occurredAt": st.datetimes(timezones=st.timezones()).map(_rfc3339).filter(_in_calendar),
            "tags": st.lists(
                st.from_regex(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,63}", fullmatch=True), max_size=20, unique=True
            ),
        },
    )
    return strategy


def _containers(children: SearchStrategy[JsonValue]) -> SearchStrategy[JsonValue]:
    objects = st.dictionaries(TEXT, children, max_size=5).filter(_distinct)
    return st.lists(children, max_size=5) | objects


def _rfc3339(moment: dt.datetime) -> str:
    offset = moment.utcoffset() or dt.timedelta()
    minutes = round(offset.total_seconds() / 60)
    sign = "-" if minutes < 0 else "+"
    return f"{moment.replace(tzinfo=None).isoformat()}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _in_calendar(text: str) -> bool:
    return "0002" < text[:4] < "9998"
