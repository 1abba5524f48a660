"""The work queue: which items wait to be processed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_items.aws_failures import unavailable_on_failure
from tap_items.message import encode_message
from tap_items.tracing import trace_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sqs.client import SQSClient

    from tap_items.record import ItemKey

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
