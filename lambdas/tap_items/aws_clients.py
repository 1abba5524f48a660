"""The AWS clients: each is made once a process, when a path first needs it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from tap_items.tracing import trace_calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sqs.client import SQSClient

# Times in seconds. Three attempts with jittered back-off ("standard") take at most 18 s: 3 x (1 + 4) + 1 + 2.
CONFIG = Config(
    connect_timeout=1,
    read_timeout=4,
    retries={"mode": "standard", "total_max_attempts": 3},
    user_agent_extra="tap-items",
)


@cache
def s3() -> S3Client:
    """Return the S3 client."""
    return _make("s3")


@cache
def dynamodb() -> DynamoDBClient:
    """Return the DynamoDB client."""
    return _make("dynamodb")


@cache
def sqs() -> SQSClient:
    """Return the SQS client."""
    return _make("sqs")


def _make(service: str) -> Any:  # noqa: ANN401 - each caller names the client's type
    # The stubs type this function only when those of every AWS service are installed.
    factory: Callable[..., Any] = vars(boto3)["client"]
    client = factory(service, config=CONFIG)
    trace_calls(client.meta.events)
    return client
