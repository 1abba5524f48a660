"""Queue messages: what becomes of each delivery, and when a failed one comes again."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from processor.work import ItemWork, Outcome, RejectedError
from tap_items.aws_clients import UnavailableError
from tap_items.item import message_record_id, sha256_hex
from tap_items.observability import logger
from tap_items.record import ItemRecord, Status
from tap_items.work_queue import CORRELATION_ID, InvalidMessageError, correlation_id_or, decode_message

if TYPE_CHECKING:
    from tap_items.item_table import ItemTable
    from tap_items.json_text import JsonValue
    from tap_items.record import ItemKey
    from tap_items.work_queue import WorkQueue

BASE_DELAY_SECONDS = 10
GROWTH = 4
MAX_DELAY_SECONDS = 900
MAX_REASON_CHARACTERS = 1000
LOST = "Attempt ended without an answer: a time-out, or the end of the process."

_random = random.SystemRandom()


class Delivery(NamedTuple):
    """One delivery of a queue message.

    Attributes:
        attempt: How many times the message was delivered, this one included.
        sent_at: When it was put on the queue, ms since 1970.
        correlation_id: Of the request that it follows from; empty when unknown.
    """

    message_id: str
    body: str
    receipt: str
    attempt: int
    sent_at: int
    correlation_id: str


def delay_seconds(attempt: int, spread: Callable[[float, float], float]) -> int:
    """Return how long a failed delivery waits: exponential back-off, half jitter, 5 to `MAX_DELAY_SECONDS` s.

    The other half is a promise: five deliveries span at least 425 s, so an outage of seven minutes sends
    nothing to the dead letter queue. Full jitter would promise nothing.

    Args:
        attempt: The delivery that failed, from 1.
        spread: Picks a number between two, evenly.
    """
    ceiling = min(MAX_DELAY_SECONDS, BASE_DELAY_SECONDS * GROWTH ** min(attempt - 1, 10))
    return round(spread(ceiling / 2, ceiling))


class Deliveries:
    """Processes deliveries, one at a time; `now` gives ms since 1970, `spread` a number between two."""

    def __init__(
        self,
        item_work: ItemWork,
        records: ItemTable,
        work: WorkQueue,
        now: Callable[[], int],
        spread: Callable[[float, float], float] = _random.uniform,
    ) -> None:
        self._item_work = item_work
        self._records = records
        self._work = work
        self._now = now
        self._spread = spread

    def process(self, delivery: Delivery) -> Outcome:
        """Process what a message names; when that fails, record why and time the next delivery.

        Raises:
            RejectedError: poison. The reason is in the table; the message comes again at once, until the
                queue moves it to the dead letter queue.
            UnavailableError: A dependency failed. The message comes again after a back-off.
            Exception: A defect of ours. The same, with its kind as the reason.
        """
        try:
            try:
                return self._process_item(delivery)
            except RejectedError as rejection:
                self._record(delivery, rejection)
                self._again(delivery, 0)
                raise
        except RejectedError:
            raise
        except UnavailableError as failure:
            self._postpone(delivery, f"Attempt failed: {failure}.")
            raise
        except Exception as defect:
            self._postpone(delivery, f"Attempt failed: unexpected {type(defect).__name__}.")
            raise

    def release(self, delivery: Delivery) -> None:
        """Release a message for want of time, to come again after a back-off: what took the time may last."""
        self._postpone(delivery, "Attempt not begun: the invocation was about to end.")

    def _postpone(self, delivery: Delivery, reason: str) -> None:
        self._record_reason(delivery, reason)
        self._again(delivery, delay_seconds(delivery.attempt, self._spread))

    def _process_item(self, delivery: Delivery) -> Outcome:
        try:
            key = decode_message(delivery.body)
        except InvalidMessageError as error:
            raise RejectedError(f"The message is not one of ours: {error}.") from None
        if delivery.attempt > 1:
            self._record_lost(key, delivery)
        return self._item_work.process(key)

    def _record_lost(self, key: ItemKey, delivery: Delivery) -> None:
        """Keep that the attempt before ended unseen, if it did: what ends the process can leave no reason.

        Written before the item is begun again, so that an item which ends each process that it meets has its
        reason in the table when the queue gives it up.
        """
        lost = delivery.attempt - 1
        try:
            self._records.record_lost(key, LOST, lost, self._now())
        except UnavailableError:
            about = {"message_id": delivery.message_id}
            logger.warning("The reason of a failed attempt could not be recorded", extra=about)

    def _record(self, delivery: Delivery, rejection: RejectedError) -> None:
        reason = rejection.reason[:MAX_REASON_CHARACTERS]
        if rejection.key is not None:
            self._records.mark_rejected(rejection.key, reason, delivery.attempt, self._now())
            return
        body = delivery.body.encode("utf-8", "surrogatepass")
        record = ItemRecord(
            id=message_record_id(delivery.message_id),
            timestamp=delivery.sent_at,
            status=Status.REJECTED,
            checksum=sha256_hex(body),
            size=len(body),
            data={"messageId": delivery.message_id},
            correlation_id=delivery.correlation_id,
            updated_at=self._now(),
            attempts=delivery.attempt,
            reason=reason,
        )
        if self._records.create(record) is not None:
            self._records.mark_rejected(record.key, reason, delivery.attempt, self._now())

    def _record_reason(self, delivery: Delivery, reason: str) -> None:
        """Keep why this attempt failed, if the message leads to a record and the table takes it."""
        try:
            key = decode_message(delivery.body)
            self._records.record_failure(key, reason, delivery.attempt, self._now())
        except (InvalidMessageError, UnavailableError):
            about = {"message_id": delivery.message_id}
            logger.warning("The reason of a failed attempt could not be recorded", extra=about)

    def _again(self, delivery: Delivery, seconds: int) -> None:
        """Time the next delivery; should that fail, the queue's visibility timeout does it."""
        try:
            self._work.delay(delivery.receipt, seconds)
        except UnavailableError as failure:
            about = {"message_id": delivery.message_id, "code": failure.code}
            logger.warning("The next delivery could not be timed", extra=about)


def is_message(record: JsonValue) -> bool:
    """Return whether a record is an SQS message."""
    return (
        isinstance(record, dict)
        and record.get("eventSource") == "aws:sqs"
        and all(isinstance(record.get(name), str) for name in ("messageId", "receiptHandle", "body"))
    )


def delivery_of(record: Mapping[str, Any]) -> Delivery:
    """Return the delivery that such a record tells of; without a count it is the first one.

    Message attributes are the sender's: one that is no correlation id, or no text, counts as none.
    """
    attributes = _members(record, "attributes")
    sent = _members(_members(record, "messageAttributes"), CORRELATION_ID)
    return Delivery(
        message_id=record["messageId"],
        body=record["body"],
        receipt=record["receiptHandle"],
        attempt=_number(attributes.get("ApproximateReceiveCount"), 1),
        sent_at=_number(attributes.get("SentTimestamp"), 0),
        correlation_id=correlation_id_or(sent.get("stringValue"), ""),
    )


def _members(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    members = record.get(name)
    return cast("dict[str, Any]", members) if isinstance(members, dict) else {}


def _number(text: object, otherwise: int) -> int:
    return int(text) if isinstance(text, str) and re.fullmatch("[0-9]{1,15}", text) else otherwise
