"""The five alarms. Each tells the same topic when it fires and when it is over.

Lambda and DynamoDB send no data while nothing happens, so for their metrics missing data is good news.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi_aws as aws

if TYPE_CHECKING:
    import pulumi

    from tap_stack.scope import Scope

PERIOD_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Watched:
    """What the alarms watch."""

    api_handler: aws.lambda_.Function
    processor: aws.lambda_.Function
    table: aws.dynamodb.Table
    dead_letters: aws.sqs.Queue


def create_alarms(scope: Scope, watched: Watched, topic: pulumi.Input[str]) -> None:
    """Create the alarms.

    Args:
        scope: The component.
        watched: The resources to watch.
        topic: The ARN of the topic to notify.
    """
    _watch_api_handler(scope, watched.api_handler, topic)
    _watch_processor(scope, watched.processor, topic)
    _watch_table(scope, watched.table, topic)
    _watch_dead_letters(scope, watched.dead_letters, topic)


def _watch_api_handler(scope: Scope, function: aws.lambda_.Function, topic: pulumi.Input[str]) -> None:
    aws.cloudwatch.MetricAlarm(
        scope.logical("api-handler-errors"),
        name=scope.names.of("api-handler-errors"),
        alarm_description="The API handler fails: callers get errors. See its log group and traces.",
        namespace="AWS/Lambda",
        metric_name="Errors",
        dimensions={"FunctionName": function.name},
        statistic="Sum",
        period=PERIOD_SECONDS,
        evaluation_periods=2,
        comparison_operator="GreaterThanThreshold",
        threshold=scope.settings.api_handler_error_threshold,
        treat_missing_data="notBreaching",
        alarm_actions=[topic],
        ok_actions=[topic],
        tags=scope.tags,
        opts=scope.child(),
    )
    aws.cloudwatch.MetricAlarm(
        scope.logical("api-handler-duration"),
        name=scope.names.of("api-handler-duration"),
        alarm_description="The API handler is slow and nears its timeout. See its traces.",
        namespace="AWS/Lambda",
        metric_name="Duration",
        dimensions={"FunctionName": function.name},
        statistic="Average",
        period=PERIOD_SECONDS,
        evaluation_periods=3,
        comparison_operator="GreaterThanThreshold",
        threshold=scope.settings.api_handler_duration_threshold,
        treat_missing_data="notBreaching",
        alarm_actions=[topic],
        ok_actions=[topic],
        tags=scope.tags,
        opts=scope.child(),
    )


def _watch_processor(scope: Scope, function: aws.lambda_.Function, topic: pulumi.Input[str]) -> None:
    aws.cloudwatch.MetricAlarm(
        scope.logical("processor-errors"),
        name=scope.names.of("processor-errors"),
        alarm_description="The processor fails: documents are late, then dead letters. See its log group.",
        namespace="AWS/Lambda",
        metric_name="Errors",
        dimensions={"FunctionName": function.name},
        statistic="Sum",
        period=PERIOD_SECONDS,
        evaluation_periods=2,
        comparison_operator="GreaterThanThreshold",
        threshold=scope.settings.processor_error_threshold,
        treat_missing_data="notBreaching",
        alarm_actions=[topic],
        ok_actions=[topic],
        tags=scope.tags,
        opts=scope.child(),
    )


def _watch_table(scope: Scope, table: aws.dynamodb.Table, topic: pulumi.Input[str]) -> None:
    aws.cloudwatch.MetricAlarm(
        scope.logical("dynamodb-throttles"),
        name=scope.names.of("dynamodb-throttles"),
        alarm_description="DynamoDB throttles the metadata table: a hot key, or a table or account limit.",
        metric_queries=[
            {
                # SUM over a list adds what there is. `reads + writes` would be nothing whenever one of the
                # two is missing, which is nearly always: each is sent only while it throttles. FILL with 0
                # can hide the latest data point when that arrives late.
                # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
                "id": "throttles",
                "label": "Throttled reads and writes",
                "expression": "SUM([reads, writes])",
                "return_data": True,
            },
            {
                "id": "reads",
                "metric": {
                    "namespace": "AWS/DynamoDB",
                    "metric_name": "ReadThrottleEvents",
                    "dimensions": {"TableName": table.name},
                    "stat": "Sum",
                    "period": PERIOD_SECONDS,
                },
                "return_data": False,
            },
            {
                "id": "writes",
                "metric": {
                    "namespace": "AWS/DynamoDB",
                    "metric_name": "WriteThrottleEvents",
                    "dimensions": {"TableName": table.name},
                    "stat": "Sum",
                    "period": PERIOD_SECONDS,
                },
                "return_data": False,
            },
        ],
        evaluation_periods=1,
        comparison_operator="GreaterThanThreshold",
        threshold=0,
        treat_missing_data="notBreaching",
        alarm_actions=[topic],
        ok_actions=[topic],
        tags=scope.tags,
        opts=scope.child(),
    )


def _watch_dead_letters(scope: Scope, queue: aws.sqs.Queue, topic: pulumi.Input[str]) -> None:
    aws.cloudwatch.MetricAlarm(
        scope.logical("dlq-depth"),
        name=scope.names.of("dlq-depth"),
        alarm_description="Documents could not be processed and wait in the dead letter queue.",
        namespace="AWS/SQS",
        metric_name="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": queue.name},
        statistic="Maximum",
        period=PERIOD_SECONDS,
        evaluation_periods=1,
        comparison_operator="GreaterThanThreshold",
        threshold=0,
        # SQS falls silent on a queue that nobody touched for six hours, whatever waits in it: an alarm that
        # has fired must not take silence for a cure.
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html
        treat_missing_data="ignore",
        alarm_actions=[topic],
        ok_actions=[topic],
        tags=scope.tags,
        opts=scope.child(),
    )
