"""Processing one item, so that doing it again, or in two places at once, gives the same one result.

The result is stored first, and only if none is there: that one conditional write decides which result it is.
The record moves to `processed` last: a record that says so has its result, and its counts are that result's.
Nothing marks an item as begun, so a crash or a time-out leaves nothing to clean up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from processor.transform import transform
from tap_items.aws_clients import UnavailableError
from tap_items.item import InvalidItemError, NewItem, read_item, sha256_hex
from tap_items.json_text import JsonTextError, JsonValue, canonical_json, parse_json
from tap_items.object_store import ObjectStore, incoming_name, processed_name
from tap_items.record import ItemKey, ItemRecord, Status

if TYPE_CHECKING:
    from tap_items.item_table import ItemTable


class Outcome(StrEnum):
    """How processing an item ended well."""

    PROCESSED = "processed"
    DUPLICATE = "duplicate"


class RejectedError(Exception):
    """Something is wrong with the item or the message itself; trying again cannot help.

    Attributes:
        reason: what, in a sentence that repeats nothing of the content.
        key: The item's record, or None when the message leads to none.
    """

    def __init__(self, reason: str, key: ItemKey | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.key = key


class ItemWork:
    """The use case; `now` gives ms since 1970."""

    def __init__(self, objects: ObjectStore, records: ItemTable, now: Callable[[], int]) -> None:
        self._objects = objects
        self._records = records
        self._now = now

    def process(self, key: ItemKey) -> Outcome:
        """Process an accepted item.

        Raises:
            RejectedError: The item cannot be processed, ever.
            UnavailableError: A dependency failed; the item waits as it was.
        """
        record = self._records.get(key)
        if record is None:
            raise RejectedError("The message names an item that has no record.")
        if record.status is Status.PROCESSED:
            return Outcome.DUPLICATE
        item = self._read(record)
        content, made = transform(item, record)
        counts = self._store(record, content, made)
        return (
            Outcome.PROCESSED if self._records.mark_processed(key, counts, self._now()) else Outcome.DUPLICATE
        )

    def _read(self, record: ItemRecord) -> NewItem:
        content = self._objects.read(incoming_name(record.id), record.size)
        if content is None:
            raise RejectedError("The item's object is missing from the bucket.", record.key)
        if len(content) != record.size or sha256_hex(content) != record.checksum:
            raise RejectedError("The item's object does not have the recorded checksum and size.", record.key)
        try:
            return read_item(parse_json(content))
        except JsonTextError as error:
            raise RejectedError(f"The item's object cannot be read: {error}.", record.key) from None
        except InvalidItemError as error:
            raise RejectedError(f"The item breaks its schema: {error}.", record.key) from None

    def _store(self, record: ItemRecord, content: bytes, counts: Mapping[str, int]) -> Mapping[str, int]:
        """Store an item's result unless it has one; the counts of the one that it has."""
        name = processed_name(record.id)
        metadata = {
            "timestamp": str(record.timestamp),
            "checksum": sha256_hex(content),
            "counts": canonical_json(cast("JsonValue", counts)).decode("ascii"),
        }
        if self._objects.create(name, content, metadata):
            return counts
        stored = self._objects.describe(name)
        if stored is None:
            raise UnavailableError("HeadObject", "the result went away between two calls")
        whose = int(stored.metadata.get("timestamp", "-1"))
        if whose == record.timestamp:
            # Ours, of a delivery that broke off or is still at it. It may be of an older transform; it stays,
            # for another processor may be about to say that it is the result.
            return cast("dict[str, int]", parse_json(stored.metadata["counts"].encode()))
        if whose > record.timestamp:
            raise RejectedError("A younger record of this item has its result.", record.key)
        # Of an older record with this id, whose item was removed from the bucket and sent again.
        self._objects.replace(name, content, metadata)
        return counts
