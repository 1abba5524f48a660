"""Idempotent ingestion: retries of a request store the item once, wherever the request breaks off.

The object is stored first, and only if none is there: that one conditional write decides who is first, and
its metadata fixes the item's timestamp for all repetitions. The record and the message follow from it; each
may be written again without harm. 202 is answered when all three are there, so an unanswered request loses
nothing that was promised, and its repetition completes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, cast

from api_handler.problem import INVALID_ITEM, KEY_REUSED, ProblemError
from tap_items.aws_clients import UnavailableError
from tap_items.item import InvalidItemError, fingerprint, item_id, read_item, sha256_hex
from tap_items.object_store import ObjectStore, incoming_name
from tap_items.record import ItemRecord, Status

if TYPE_CHECKING:
    from tap_items.item_table import ItemTable
    from tap_items.json_text import JsonValue
    from tap_items.work_queue import WorkQueue


_ANOTHER_ITEM = "This Idempotency-Key came with another item before. Send a new key with a new item."


class Submission(NamedTuple):
    """A request to ingest an item: its bytes, the JSON value that they write, and the caller."""

    content: bytes
    value: JsonValue
    caller: str
    idempotency_key: str | None
    correlation_id: str


class Ingestion:
    """The use case; `now` gives ms since 1970."""

    def __init__(
        self, objects: ObjectStore, records: ItemTable, work: WorkQueue, now: Callable[[], int]
    ) -> None:
        self._objects = objects
        self._records = records
        self._work = work
        self._now = now

    def ingest(self, submission: Submission) -> tuple[ItemRecord, bool]:
        """Ingest an item.

        Returns:
            Its record, and whether an earlier request had brought it already.

        Raises:
            ProblemError: The item is invalid, or its idempotency key came with another item before.
            UnavailableError: A dependency failed; the same request may be sent again.
        """
        try:
            item = read_item(submission.value)
        except InvalidItemError as error:
            raise ProblemError(
                INVALID_ITEM, "The item breaks its schema.", violations=error.violations
            ) from None
        content_fingerprint = fingerprint(submission.value)
        name_of_item = item_id(
            caller=submission.caller,
            idempotency_key=submission.idempotency_key,
            content_fingerprint=content_fingerprint,
        )
        timestamp, checksum, size = self._store(name_of_item, submission, content_fingerprint)
        record = ItemRecord(
            id=name_of_item,
            timestamp=timestamp,
            status=Status.ACCEPTED,
            checksum=checksum,
            size=size,
            data=cast("dict[str, JsonValue]", item.description()),
            correlation_id=submission.correlation_id,
            updated_at=timestamp,
        )
        earlier = self._records.create(record)
        current = earlier or record
        # A record still `accepted` may be one whose message was never sent; a second message is harmless.
        if current.status is Status.ACCEPTED:
            self._work.send(current.key, submission.correlation_id)
        return current, earlier is not None

    def _store(
        self, name_of_item: str, submission: Submission, content_fingerprint: str
    ) -> tuple[int, str, int]:
        timestamp, checksum = self._now(), sha256_hex(submission.content)
        name = incoming_name(name_of_item)
        metadata = {
            "timestamp": str(timestamp),
            "checksum": checksum,
            "fingerprint": content_fingerprint,
            "correlation-id": submission.correlation_id,
        }
        if self._objects.create(name, submission.content, metadata):
            return timestamp, checksum, len(submission.content)
        stored = self._objects.describe(name)
        if stored is None:
            raise UnavailableError("HeadObject", "the object went away between two calls")
        if "fingerprint" not in stored.metadata:
            return self._recorded(name_of_item, submission, checksum)
        if stored.metadata["fingerprint"] != content_fingerprint:
            raise ProblemError(KEY_REUSED, _ANOTHER_ITEM)
        return int(stored.metadata["timestamp"]), stored.metadata["checksum"], stored.size

    def _recorded(self, name_of_item: str, submission: Submission, checksum: str) -> tuple[int, str, int]:
        """Return what the record says of an item whose object was restored by hand, without its metadata."""
        record = self._records.latest(name_of_item)
        if record is None:
            raise UnavailableError("Query", "an object without metadata has no record either")
        # Without a key the id itself follows from the content.
        if submission.idempotency_key is not None and record.checksum != checksum:
            raise ProblemError(KEY_REUSED, _ANOTHER_ITEM)
        return record.timestamp, record.checksum, record.size
