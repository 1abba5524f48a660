"""What the domain asks of the places that keep items, without a word of AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_items.record import ItemKey, ItemRecord


class UnavailableError(Exception):
    """A dependency did not do its part; the same request may succeed later.

    Attributes:
        operation: What was asked, such as `PutItem`.
        code: What the dependency answered, such as `ThrottlingException`.
    """

    def __init__(self, operation: str, code: str) -> None:
        super().__init__(f"{operation}: {code}")
        self.operation = operation
        self.code = code


class StoredObject(NamedTuple):
    """An object's metadata, as given when it was stored, and its size in bytes."""

    metadata: Mapping[str, str]
    size: int


class Objects(Protocol):
    """The bucket."""

    def create(self, name: str, content: bytes, metadata: Mapping[str, str]) -> bool:
        """Store an object unless one has that name; False when one has."""
        ...

    def replace(self, name: str, content: bytes, metadata: Mapping[str, str]) -> None:
        """Store an object, over one that may have that name."""
        ...

    def describe(self, name: str) -> StoredObject | None:
        """Return an object's metadata, or None when there is no such object."""
        ...

    def read(self, name: str, limit: int) -> bytes | None:
        """Return an object's content, or None when there is none; of more than `limit` bytes, `limit` + 1."""
        ...

    def check(self) -> None:
        """Raise `UnavailableError` unless the bucket answers."""
        ...


class Records(Protocol):
    """The table."""

    def create(self, record: ItemRecord) -> ItemRecord | None:
        """Write a new record; when one has that key, change nothing and return that one."""
        ...

    def get(self, key: ItemKey) -> ItemRecord | None:
        """Return the record with that key, read consistently."""
        ...

    def latest(self, item_id: str) -> ItemRecord | None:
        """Return the youngest record with that id, read consistently."""
        ...

    def page(self, limit: int, after: ItemKey | None) -> tuple[list[ItemRecord], ItemKey | None]:
        """Return up to `limit` records after a key, in no order, and the key to go on after."""
        ...

    def mark_processed(self, key: ItemKey, result: Mapping[str, int], now: int) -> bool:
        """Move an item to `processed`; False when it was there already. Raises when it has no record."""
        ...

    def mark_rejected(self, key: ItemKey, reason: str, attempts: int, now: int) -> None:
        """Move an item to `rejected`, unless it is processed."""
        ...

    def record_failure(self, key: ItemKey, reason: str, attempts: int, now: int) -> None:
        """Keep why an attempt failed, while the item is `accepted`: a rejected one keeps why it was."""
        ...

    def record_lost(self, key: ItemKey, reason: str, attempts: int, now: int) -> None:
        """Keep that an attempt ended unseen, while the item is `accepted` and that attempt left no reason."""
        ...


class Work(Protocol):
    """The work queue."""

    def send(self, key: ItemKey, correlation_id: str) -> None:
        """Order the processing of an item."""
        ...

    def delay(self, receipt: str, seconds: int) -> None:
        """Deliver a message that is being worked on again after so many seconds."""
        ...

    def check(self) -> None:
        """Raise `UnavailableError` unless the queue answers."""
        ...
