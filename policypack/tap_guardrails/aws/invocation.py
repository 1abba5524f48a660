"""How events reach Lambda functions, and where those end up that fail.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
"""

from __future__ import annotations

import re
from typing import Final

from tap_guardrails.aws.resource_types import (
    ASYNC_CONFIG,
    EVENT_SOURCE,
    FUNCTION,
    FUNCTION_URL,
    PERMISSION,
    QUEUE,
    REDRIVE_POLICY,
)
from tap_guardrails.aws.sub_resources import SubResource

LATEST: Final = "$LATEST"
"""What is called without naming a version or an alias."""

NAME: Final = re.compile(
    r"(?:(?:arn:[^:]+:lambda:[^:]*:)?[^:]+:function:)?(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>[^:]+))?"
)


def function_name(text: str) -> str | None:
    """Take a function's name out of its name or ARN, whole or partial, with or without a qualifier.

    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """
    match = NAME.fullmatch(text)
    return match["name"] if match else None


def function_qualifier(text: str) -> str:
    """Take the version or alias out of a function's name or ARN; empty when it names neither."""
    match = NAME.fullmatch(text)
    qualifier = (match["qualifier"] or "") if match else ""
    return "" if qualifier == LATEST else qualifier


def queue_in_url(url: str) -> str | None:
    """Take a queue's name out of its URL."""
    return url.rstrip("/").rsplit("/", 1)[-1] if "/" in url else None


SOURCES_OF: Final = SubResource(EVENT_SOURCE, "functionName", FUNCTION, function_name)
ASYNC_CONFIGS_OF: Final = SubResource(ASYNC_CONFIG, "functionName", FUNCTION, function_name)
PERMISSIONS_OF: Final = SubResource(PERMISSION, "function", FUNCTION, function_name)
URLS_OF: Final = SubResource(FUNCTION_URL, "functionName", FUNCTION, function_name)
REDRIVES_OF: Final = SubResource(REDRIVE_POLICY, "queueUrl", QUEUE, queue_in_url)

SYNCHRONOUS_CALLERS: Final = frozenset(
    f"{service}.amazonaws.com"
    for service in (
        "apigateway",
        "bedrock",
        "cognito-idp",
        "connect",
        "elasticloadbalancing",
        "lex",
        "lexv2",
        "secretsmanager",
        "transfer",
        "vpc-lattice",
    )
)
"""The services that wait for a function's answer, and hear of its failure.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html
"""

STREAM_SERVICES: Final = frozenset({"kinesis", "dynamodb", "kafka"})
"""Event sources whose failed records Lambda can put somewhere; what a queue gives up, the queue redrives."""

STREAM_TYPES: Final = (
    "aws:dynamodb/table:Table",
    "aws:kinesis/stream:Stream",
    "aws:kinesis/streamConsumer:StreamConsumer",
    "aws:msk/cluster:Cluster",
    "aws:msk/serverlessCluster:ServerlessCluster",
    "aws-native:dynamodb:Table",
    "aws-native:kinesis:Stream",
    "aws-native:msk:Cluster",
)
FAILURE_TARGETS: Final = (
    *QUEUE.types,
    *FUNCTION.types,
    "aws:cloudwatch/eventBus:EventBus",
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketV2:BucketV2",
    "aws:sns/topic:Topic",
    "aws-native:events:EventBus",
    "aws-native:s3:Bucket",
    "aws-native:sns:Topic",
)
"""What can take the events that failed."""

KAFKA_TOPIC: Final = re.compile(r"kafka://[^.][A-Za-z0-9_.-]{0,248}")
"""What an event source mapping can name besides.

https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html
"""

FAILURE_ARN: Final = re.compile(r"arn:[^:]+:(sqs|sns|lambda|events|s3|s3-object-lambda):.*", re.DOTALL)
