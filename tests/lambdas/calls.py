"""How Lambda calls the handlers: contexts, HTTP events, SQS events."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import api_handler.app
import processor.app

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from tests.lambdas.stand import Stand


@dataclass
class Context:
    """An invocation's context, of the form that Lambda's runtime gives.

    Attributes:
        remaining: ms left, at each time that it is asked for; the last one from then on.
    """

    remaining: list[int]
    function_name: str = "tap-function-test"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:eu-west-2:123456789012:function:tap-function-test"
    aws_request_id: str = field(default_factory=lambda: secrets.token_hex(16))

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining.pop(0) if len(self.remaining) > 1 else self.remaining[0]


def context(*remaining: int) -> LambdaContext:
    return cast("LambdaContext", Context(list(remaining) or [300_000]))


def http_event(
    method: str,
    path: str,
    *,
    body: bytes | str | None = None,
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    user: str = "AIDACKCEVSQ6C2EXAMPLE",
) -> dict[str, Any]:
    """A request of payload format 2.0, as a function URL with IAM authorization sends it."""
    is_base64 = isinstance(body, bytes)
    given = {"host": "example.lambda-url.eu-west-2.on.aws", **(headers or {})}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "&".join(f"{name}={value}" for name, value in (query or {}).items()),
        "headers": {name.lower(): value for name, value in given.items()},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "example",
            "authorizer": {"iam": {"accountId": "123456789012", "userId": user, "userArn": "arn:aws:iam::x"}},
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "requestId": secrets.token_hex(16),
            "routeKey": "$default",
            "stage": "$default",
        },
        "isBase64Encoded": is_base64,
    }
    if query:
        event["queryStringParameters"] = query
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return event


def post(value: object, **headers: str) -> dict[str, Any]:
    """`POST /items` of a JSON value; header names with `_` for `-`."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return http_event(
        "POST", "/items", body=json.dumps(value), headers={"content-type": "application/json", **named}
    )


@dataclass(frozen=True)
class Reply:
    """A response, its body read."""

    status: int
    headers: dict[str, str]
    body: Any


def call_api(event: object) -> Reply:
    """Invoke the API handler."""
    response = cast("dict[str, Any]", api_handler.app.handler(cast("Any", event), context()))
    headers = {name.lower(): value for name, value in response["headers"].items()}
    return Reply(response["statusCode"], headers, json.loads(response["body"]))


def call_processor(event: object, *remaining: int) -> dict[str, Any]:
    """Invoke the processor; `remaining`: ms left at the begin, and before each message."""
    return cast("dict[str, Any]", processor.app.handler(cast("Any", event), context(*remaining)))


def receive(stand: Stand, limit: int = 10) -> list[dict[str, Any]]:
    """Take messages off the work queue, as Lambda's poller hands them to the processor."""
    answer = stand.sqs.receive_message(
        QueueUrl=stand.queue_url,
        MaxNumberOfMessages=limit,
        AttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return [sqs_record(message) for message in answer.get("Messages", [])]


def sqs_record(message: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message["Attributes"]),
        "messageAttributes": {
            name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-2:123456789012:work",
        "awsRegion": "eu-west-2",
    }


def deliver(stand: Stand, limit: int = 10) -> tuple[int, int]:
    """One turn of Lambda's poller: receive, invoke, delete what did not fail. Returns (received, failed)."""
    records = receive(stand, limit)
    if not records:
        return 0, 0
    try:
        response = call_processor({"Records": records})
    except processor.app.DependencyError:
        return len(records), len(records)
    failed = {each["itemIdentifier"] for each in response["batchItemFailures"]}
    for record in records:
        if record["messageId"] not in failed:
            stand.sqs.delete_message(QueueUrl=stand.queue_url, ReceiptHandle=record["receiptHandle"])
    return len(records), len(failed)
