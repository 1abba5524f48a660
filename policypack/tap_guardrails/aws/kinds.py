"""The kinds of resources that rules ask about, under every type token that providers give them.

The first token of a kind is pulumi-aws's today; its property names are the ones that rules use. The
`aws-native:` tokens are those of Pulumi's Cloud Control provider, whose properties follow CloudFormation.
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.model import Kind

KEY: Final = Kind(
    "KMS key",
    {
        "aws:kms/key:Key": {},
        "aws-native:kms:Key": {"customerMasterKeySpec": "keySpec"},
    },
)

FUNCTION: Final = Kind(
    "Lambda function",
    {
        "aws:lambda/function:Function": {},
        "aws-native:lambda:Function": {"name": "functionName"},
    },
)

LOG_GROUP: Final = Kind(
    "log group",
    {
        "aws:cloudwatch/logGroup:LogGroup": {},
        "aws-native:logs:LogGroup": {"name": "logGroupName"},
    },
)

TABLE: Final = Kind(
    "DynamoDB table",
    {
        "aws:dynamodb/table:Table": {},
        "aws-native:dynamodb:Table": {"name": "tableName"},
        "aws-native:dynamodb:GlobalTable": {"name": "tableName"},
    },
)

TABLE_REPLICA: Final = Kind("DynamoDB table replica", {"aws:dynamodb/tableReplica:TableReplica": {}})

QUEUE: Final = Kind(
    "SQS queue",
    {
        "aws:sqs/queue:Queue": {},
        "aws-native:sqs:Queue": {"name": "queueName"},
    },
)

METRIC_ALARM: Final = Kind(
    "CloudWatch alarm",
    {
        "aws:cloudwatch/metricAlarm:MetricAlarm": {},
        "aws-native:cloudwatch:Alarm": {"name": "alarmName", "metricQueries": "metrics"},
    },
)

COMPOSITE_ALARM: Final = Kind(
    "composite CloudWatch alarm",
    {
        "aws:cloudwatch/compositeAlarm:CompositeAlarm": {"name": "alarmName"},
        "aws-native:cloudwatch:CompositeAlarm": {"name": "alarmName"},
    },
)
