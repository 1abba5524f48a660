"""The work queue: its messages, each of which names an item to process, and the correlation ids with them.

A correlation id joins a client's request to what both functions log about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from tap_items.aws_clients import unavailable_on_failure
from tap_items.item import ID_PATTERN
from tap_items.json_text import JsonTextError, canonical_json, parse_json
from tap_items.record import ItemKey
from tap_items.schema import Schema, violations
from tap_items.tracing import trace_header

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

CORRELATION_PATTERN = "^[A-Za-z0-9._:=-]{1,128}$"


def correlation_id_or(sent: object, otherwise: str) -> str:
    """Return what was sent when it is a usable correlation id, else something else.

    Whoever may call or send a message chooses it, and it is logged: nothing but the pattern gets through.
    """
    return sent if isinstance(sent, str) and re.fullmatch(CORRELATION_PATTERN, sent) else otherwise


VERSION = 1
MAX_MESSAGE_BYTES = 4096

TIMESTAMP_SCHEMA: Schema = {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}
MESSAGE_SCHEMA: Schema = {
    "type": "object",
    "required": ["version", "id", "timestamp"],
    "additionalProperties": False,
    "properties": {
        "version": {"type": "integer", "minimum": VERSION, "maximum": VERSION},
        "id": {"type": "string", "pattern": ID_PATTERN},
        "timestamp": TIMESTAMP_SCHEMA,
    },
}


class InvalidMessageError(ValueError):
    """The text is no message of ours; says what is wrong with it, without its values."""


def encode_message(key: ItemKey) -> str:
    """Return the message that orders the processing of one item."""
    return canonical_json({"version": VERSION, "id": key.id, "timestamp": key.timestamp}).decode("ascii")


def decode_message(text: str) -> ItemKey:
    """Read which item a queue message is about.

    Raises:
        InvalidMessageError: It is not a message that `encode_message` writes.
    """
    if len(text) > MAX_MESSAGE_BYTES:
        message = f"longer than {MAX_MESSAGE_BYTES} characters"
        raise InvalidMessageError(message)
    try:
        value = parse_json(text.encode("utf-8", "surrogatepass"))
    except JsonTextError as error:
        raise InvalidMessageError(str(error)) from None
    problems = tuple(violations(value, MESSAGE_SCHEMA))
    if problems:
        raise InvalidMessageError("; ".join(f"{each.pointer or '/'} {each.detail}" for each in problems))
    members = cast("dict[str, int | str]", value)
    return ItemKey(cast("str", members["id"]), cast("int", members["timestamp"]))


CORRELATION_ID = "correlationId"


class WorkQueue:
    """Messages of one SQS queue; its client is asked for when it is first needed."""

    def __init__(self, client: Callable[[], SQSClient], url: str) -> None:
        self._client = client
        self._url = url

    def send(self, key: ItemKey, correlation_id: str) -> None:
        """Order the processing of an item."""
        header = trace_header()
        traced: dict[str, Any] = {}
        if header is not None:
            traced["MessageSystemAttributes"] = {
                "AWSTraceHeader": {"DataType": "String", "StringValue": header},
            }
        with unavailable_on_failure("SendMessage"):
            self._client().send_message(
                QueueUrl=self._url,
                MessageBody=encode_message(key),
                MessageAttributes={CORRELATION_ID: {"DataType": "String", "StringValue": correlation_id}},
                **traced,
            )

    def delay(self, receipt: str, seconds: int) -> None:
        """Deliver a message that is being worked on again after so many seconds."""
        with unavailable_on_failure("ChangeMessageVisibility"):
            self._client().change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds
            )

    def check(self) -> None:
        """Raise `UnavailableError` unless the queue answers."""
        with unavailable_on_failure("GetQueueAttributes"):
            self._client().get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
