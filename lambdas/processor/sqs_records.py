"""The records that Lambda's poller hands over, read without trust in what a sender chose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from processor.delivery import Delivery
from tap_items.correlation import correlation_id_or
from tap_items.work_queue import CORRELATION_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_items.json_text import JsonValue


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
