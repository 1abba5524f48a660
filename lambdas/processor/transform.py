"""The transform: an accepted item in, the bytes of the processed one out; a pure function.

1. Normalise: strings and names to Unicode NFC, line ends to LF, no blanks at a string's ends; whole numbers
   written as integers; `occurredAt` in UTC; tags sorted.
2. Enrich: id, time of acceptance, checksum and size of what was received.
3. Aggregate: how many values of each kind the payload holds, and how deep they nest.

Equal input gives equal bytes, so carrying it out again, after a crash or twice at once, changes nothing.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import TYPE_CHECKING, cast

from tap_items.json_text import JsonValue, canonical_json
from tap_items.schema import parse_date_time

if TYPE_CHECKING:
    from tap_items.item import NewItem
    from tap_items.record import ItemRecord

FORM = "tap.item.processed/1"
EXACT_FLOAT = 2**53
COUNTED = ("objects", "arrays", "strings", "numbers", "booleans", "nulls", "depth")
_COUNTED_AS = {
    dict: "objects",
    list: "arrays",
    str: "strings",
    int: "numbers",
    float: "numbers",
    bool: "booleans",
    type(None): "nulls",
}


def transform(item: NewItem, record: ItemRecord) -> tuple[bytes, dict[str, int]]:
    """Process an item.

    Returns:
        The processed item as canonical JSON, and the counts of its payload (`COUNTED`).
    """
    payload = normalise(item.payload)
    counts = count_values(payload)
    document: dict[str, JsonValue] = {
        "form": FORM,
        "id": record.id,
        "type": item.type,
        "receivedAt": _utc(dt.datetime.fromtimestamp(record.timestamp / 1000, dt.UTC)),
        "received": {"checksum": record.checksum, "size": record.size},
        "payload": payload,
        "counts": cast("JsonValue", counts),
    }
    if item.source is not None:
        document["source"] = normalise(item.source)
    moment = parse_date_time(item.occurred_at) if item.occurred_at is not None else None
    if moment is not None:
        document["occurredAt"] = _utc(moment)
    if item.tags:
        document["tags"] = cast("JsonValue", sorted(item.tags))
    return canonical_json(document), counts


def normalise(value: JsonValue) -> JsonValue:
    """Write a value in the one form that equal values share; doing it twice changes nothing more."""
    if isinstance(value, str):
        return re.sub(r"\r\n?", "\n", unicodedata.normalize("NFC", value)).strip()
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < EXACT_FLOAT else value
    if isinstance(value, list):
        return [normalise(each) for each in value]
    if isinstance(value, dict):
        return {unicodedata.normalize("NFC", name): normalise(each) for name, each in value.items()}
    return value


def count_values(value: JsonValue) -> dict[str, int]:
    """Count the values of each kind within a value, itself included, and its levels of nesting."""
    counts: dict[str, int] = dict.fromkeys(COUNTED, 0)
    waiting = [(value, 0)]
    while waiting:
        each, depth = waiting.pop()
        counts[_COUNTED_AS[type(each)]] += 1
        if isinstance(each, list | dict):
            counts["depth"] = max(counts["depth"], depth + 1)
            parts = each if isinstance(each, list) else list(each.values())
            waiting.extend((child, depth + 1) for child in parts)
    return counts


def _utc(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
