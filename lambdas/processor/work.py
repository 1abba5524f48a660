"""Processing one item, so that doing it again, or in two places at once, gives the same one result.

The result is stored first, the record moves to `processed` last: a record that says so has its result.
Nothing marks an item as begun, so a crash or a time-out leaves nothing to clean up.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from processor.transform import transform
from tap_items.item import InvalidItemError, NewItem, read_item, sha256_hex
from tap_items.json_text import JsonTextError, parse_json
from tap_items.object_store import incoming_name, processed_name
from tap_items.record import ItemKey, ItemRecord, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_items.ports import Objects, Records


class Outcome(StrEnum):
    """How processing an item ended well."""

    PROCESSED = "processed"
    DUPLICATE = "duplicate"


class RejectedError(Exception):
    """Something is wrong with the item or the message itself; trying again cannot help.

    Attributes:
        reason: what, in a sentence that repeats nothing of the content.
        key: the item's record, or None when the message leads to none.
    """

    def __init__(self, reason: str, key: ItemKey | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.key = key


class ItemWork:
    """The use case; `now` gives ms since 1970."""

    def __init__(self, objects: Objects, records: Records, now: Callable[[], int]) -> None:
        self._objects = objects
        self._records = records
        self._now = now

    def process(self, key: ItemKey) -> Outcome:
        """Process an accepted item.

        Raises:
            RejectedError: the item cannot be processed, ever.
            UnavailableError: a dependency failed; the item waits as it was.
        """
        record = self._records.get(key)
        if record is None:
            raise RejectedError("The message names an item that has no record.")
        if record.status is Status.PROCESSED:
            return Outcome.DUPLICATE
        item = self._read(record)
        content, counts = transform(item, record)
        self._store(processed_name(record.id), content)
        return (
            Outcome.PROCESSED if self._records.mark_processed(key, counts, self._now()) else Outcome.DUPLICATE
        )

    def _read(self, record: ItemRecord) -> NewItem:
        content = self._objects.read(incoming_name(record.id))
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

    def _store(self, name: str, content: bytes) -> None:
        notes = {"checksum": sha256_hex(content)}
        if self._objects.create(name, content, notes):
            return
        stored = self._objects.describe(name)
        # An earlier version of the transform may have stored another result before it was cut off.
        if stored is None or stored.notes.get("checksum") != notes["checksum"]:
            self._objects.replace(name, content, notes)
