"""An item's record: the row of the metadata table, and the states that it moves through.

accepted → processed, accepted → rejected, rejected → processed (after a redrive). Nothing leaves `processed`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from tap_items.item import ID_PATTERN

if TYPE_CHECKING:
    from tap_items.json_text import JsonValue


class Status(StrEnum):
    """Where an item stands."""

    ACCEPTED = "accepted"
    PROCESSED = "processed"
    REJECTED = "rejected"


class ForeignRecordError(ValueError):
    """A row is no record that this service wrote; names the attribute, without its value."""


class ItemKey(NamedTuple):
    """The table's key: id and time of acceptance in ms since 1970."""

    id: str
    timestamp: int


_TYPES: dict[str, Any] = {
    "id": str,
    "timestamp": int,
    "status": str,
    "checksum": str,
    "size": int,
    "data": dict,
    "correlationId": str,
    "updatedAt": int,
    "attempts": int,
    "reason": (str, type(None)),
    "result": (dict, type(None)),
}
"""The attributes of a record in the order of its fields, each with its type."""

END_OF_TIME = 10**15
"""No timestamp reaches it before the year 33658, ms since 1970."""

_STATUSES = frozenset(status.value for status in Status)


def valid_id(text: object) -> bool:
    """Return whether a value has the form of an item's id."""
    return isinstance(text, str) and re.fullmatch(ID_PATTERN, text) is not None


class ItemRecord(NamedTuple):
    """What the table knows of an item; the payload is not part of it.

    Attributes:
        timestamp: When it was accepted, ms since 1970.
        checksum: SHA-256 of the stored object, hexadecimal.
        size: Of the stored object, in bytes.
        data: type, source, occurredAt and tags, as sent.
        updated_at: Of the last change of this record, ms since 1970.
        attempts: Deliveries that failed so far, as the queue counts them.
        reason: Why it was rejected, or why the last attempt failed.
        result: Counts of the processed item; None before.
    """

    id: str
    timestamp: int
    status: Status
    checksum: str
    size: int
    data: dict[str, JsonValue]
    correlation_id: str
    updated_at: int
    attempts: int = 0
    reason: str | None = None
    result: Mapping[str, int] | None = None

    @property
    def key(self) -> ItemKey:
        """The record's key in the table."""
        return ItemKey(self.id, self.timestamp)

    def attributes(self) -> dict[str, JsonValue]:
        """Return the record as the table and the API write it; absent values are left out."""
        pairs = zip(_TYPES, self, strict=True)
        return {name: cast("JsonValue", value) for name, value in pairs if value is not None}

    @classmethod
    def from_attributes(cls, attributes: Mapping[str, JsonValue]) -> ItemRecord:
        """Read a record that `attributes` wrote.

        Raises:
            ForeignRecordError: Something else wrote it.
        """
        for name, expected in _TYPES.items():
            if not isinstance(attributes.get(name), expected):
                raise ForeignRecordError(f"{name} is missing or of another type")
        if not valid_id(attributes["id"]) or not 0 <= cast("int", attributes["timestamp"]) < END_OF_TIME:
            raise ForeignRecordError("the key is none that this service gives")
        if attributes["status"] not in _STATUSES:
            raise ForeignRecordError("status is none that this service knows")
        read = cls._make(attributes.get(name) for name in _TYPES)
        return read._replace(status=Status(read.status))
