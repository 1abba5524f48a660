"""The kinds of resources that rules ask about, under every type token that providers give them.

The first token of a kind is pulumi-aws's today; its property names are the ones that rules use. The
`aws-native:` tokens are those of Pulumi's Cloud Control provider, whose properties follow CloudFormation.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from tap_guardrails.model import ResourceType

KEY: Final = ResourceType(
    "KMS key",
    {
        "aws:kms/key:Key": {},
        "aws-native:kms:Key": {"customerMasterKeySpec": "keySpec"},
    },
)

FUNCTION: Final = ResourceType(
    "Lambda function",
    {
        "aws:lambda/function:Function": {},
        "aws-native:lambda:Function": {"name": "functionName"},
    },
)

LOG_GROUP: Final = ResourceType(
    "log group",
    {
        "aws:cloudwatch/logGroup:LogGroup": {},
        "aws-native:logs:LogGroup": {"name": "logGroupName"},
    },
)

TABLE: Final = ResourceType(
    "DynamoDB table",
    {
        "aws:dynamodb/table:Table": {},
        "aws-native:dynamodb:Table": {"name": "tableName"},
        "aws-native:dynamodb:GlobalTable": {"name": "tableName"},
    },
)

TABLE_REPLICA: Final = ResourceType("DynamoDB table replica", {"aws:dynamodb/tableReplica:TableReplica": {}})

QUEUE: Final = ResourceType(
    "SQS queue",
    {
        "aws:sqs/queue:Queue": {},
        "aws-native:sqs:Queue": {"name": "queueName"},
    },
)

METRIC_ALARM: Final = ResourceType(
    "CloudWatch alarm",
    {
        "aws:cloudwatch/metricAlarm:MetricAlarm": {},
        "aws-native:cloudwatch:Alarm": {"name": "alarmName", "metricQueries": "metrics"},
    },
)

COMPOSITE_ALARM: Final = ResourceType(
    "composite CloudWatch alarm",
    {
        "aws:cloudwatch/compositeAlarm:CompositeAlarm": {"name": "alarmName"},
        "aws-native:cloudwatch:CompositeAlarm": {"name": "alarmName"},
    },
)

CLASSIC_NAMES: Final = {
    "cloudwatch:loggroup": "logs:loggroup",
    "cloudwatch:metricalarm": "cloudwatch:alarm",
    "cloudwatch:eventbus": "events:eventbus",
    "cloudwatch:eventrule": "events:rule",
    "iam:policy": "iam:managedpolicy",
    "lambda:functioneventinvokeconfig": "lambda:eventinvokeconfig",
    "lambda:functionurl": "lambda:url",
    "sns:topicsubscription": "sns:subscription",
}
"""What pulumi-aws calls otherwise than CloudFormation, as `plain_name` writes both."""


@cache
def plain_name(token: str) -> str:
    """Return what a type is called whichever provider makes it, or nothing when it is not AWS's."""
    package, _, rest = token.partition(":")
    service, _, name = rest.partition(":")
    if package not in {"aws", "aws-native"} or not name:
        return ""
    plain = f"{service.partition('/')[0]}:{name.removesuffix('V2')}".casefold()
    return CLASSIC_NAMES.get(plain, plain) if package == "aws" else plain


@cache
def twin(token: str, types: frozenset[str]) -> str:
    """Return the type among some that is the same resource in another spelling; nothing when none is."""
    name = plain_name(token)
    return next((one for one in sorted(types) if name and plain_name(one) == name and one != token), "")
