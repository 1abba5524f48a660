"""The kinds of resources that rules ask about, under every type token that providers give them.

The first token of a kind is pulumi-aws's today; its property names are the ones that rules use. The
`aws-native:` tokens are those of Pulumi's Cloud Control provider, whose properties follow CloudFormation.
"""

from __future__ import annotations

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
