"""The AWS clients, each made once a process when first needed, and their failures in the domain's terms."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tap_items.tracing import trace_calls

if TYPE_CHECKING:
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


def error_code(error: ClientError) -> str:
    """Return the code of an answer, such as `NoSuchKey`."""
    return error.response.get("Error", {}).get("Code", "Unknown")


def http_status(error: ClientError) -> int:
    """Return the HTTP status of an answer; 0 when there is none."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


@contextmanager
def unavailable_on_failure(operation: str) -> Generator[None]:
    """Turn every failure of an AWS call into `UnavailableError`.

    Nothing about an item can make a call fail that the handlers have not asked about before (it exists
    already, it is missing), so whatever else AWS answers is about the environment: throttling, an outage,
    a missing permission. All of those pass or are corrected, and the item must wait for that.
    """
    try:
        yield
    except ClientError as error:
        raise UnavailableError(operation, error_code(error)) from error
    except BotoCoreError as error:
        raise UnavailableError(operation, type(error).__name__) from error
