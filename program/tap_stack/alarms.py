"""The seven alarms, and the topic that they notify: the stack's own, or one that the operator names.

Lambda and DynamoDB send no data while nothing happens, so for their metrics missing data is good news.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pulumi
import pulumi_aws as aws

from tap_stack.names import ALARM_TOPIC
from tap_stack.policy_document import deny_insecure_transport, document

if TYPE_CHECKING:
    from tap_stack.context import Context
    from tap_stack.names import Addresses
    from tap_stack.queues import Queues


def topic_policy(addresses: Addresses) -> str:
    """Return the topic's policy: this stack's alarms publish, and nothing outside TLS.

    The account's own principals need no statement: their IAM policies suffice within the account.
    """
    return document(
        [
            {
                "Sid": "AlarmsPublish",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": addresses.alarm_topic,
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": addresses.location.account},
                    "ArnEquals": {"aws:SourceArn": addresses.alarms},
                },
            },
            deny_insecure_transport("sns:Publish", [addresses.alarm_topic]),
        ]
    )


def create_notifications(context: Context, key: aws.kms.Key) -> pulumi.Input[str]:
    """Create the topic and its subscription, unless there is one already; return the ARN to notify."""
    existing = context.settings.notification_topic_arn
    if existing is not None:
        return existing
    topic = aws.sns.Topic(
        context.logical("alarm-topic"),
        name=context.names.of(ALARM_TOPIC),
        display_name=f"TAP {context.names.suffix} alarms",
        kms_master_key_id=key.arn,
        tags=context.tags,
        opts=context.child(),
    )
    aws.sns.TopicPolicy(
        context.logical("alarm-topic-policy"),
        arn=topic.arn,
        policy=context.addresses.apply(topic_policy),
        opts=context.child(),
    )
    email = context.settings.notification_email
    if email is not None:
        aws.sns.TopicSubscription(
            context.logical("alarm-topic-email"),
            topic=topic.arn,
            protocol="email",
            endpoint=email,
            opts=context.child(),
        )
    elif context.settings.deletion_protection:
        pulumi.log.warn(
            f"The alarms of TapStack `{context.name}` notify no one: its topic has no subscription, and data "
            "worth protecting is worth watching. Set notificationEmail or notificationTopicArn.",
            context.parent,
        )
    return topic.arn


PERIOD_SECONDS = 300


def create_alarms(
    context: Context,
    topic: pulumi.Input[str],
    *,
    api_handler: aws.lambda_.Function,
    processor: aws.lambda_.Function,
    table: aws.dynamodb.Table,
    queues: Queues,
) -> None:
    """Create the alarms on the functions, the table and the queues."""
    settings = context.settings

    def alarm(
        component: str,
        description: str,
        source: dict[str, Any],
        *,
        periods: int,
        threshold: int,
        missing: Literal["notBreaching", "ignore"] = "notBreaching",
    ) -> None:
        """Create an alarm on what a source says: a metric, or queries of which one returns data.

        It fires above the threshold in each of so many periods; `missing` is what one without data counts as.
        """
        aws.cloudwatch.MetricAlarm(
            context.logical(component),
            name=context.names.of(component),
            alarm_description=description,
            evaluation_periods=periods,
            comparison_operator="GreaterThanThreshold",
            threshold=threshold,
            treat_missing_data=missing,
            alarm_actions=[topic],
            ok_actions=[topic],
            tags=context.tags,
            opts=context.child(),
            **source,
        )

    alarm(
        "api-handler-errors",
        "The API handler fails: its invocations end in errors. See its log group and traces.",
        _metric("AWS/Lambda", "Errors", {"FunctionName": api_handler.name}, "Sum"),
        periods=2,
        threshold=settings.api_handler_error_threshold,
    )
    # A dependency that is down is answered with 503 and a defect with 500: the invocation itself succeeds,
    # and Errors stays 0. https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html
    alarm(
        "api-handler-5xx",
        "The API answers with 5xx: a dependency is down, or the API handler has a defect. See its log group.",
        _metric("AWS/Lambda", "Url5xxCount", {"FunctionName": api_handler.name}, "Sum"),
        periods=2,
        threshold=settings.api_handler_error_threshold,
    )
    alarm(
        "api-handler-duration",
        "The API handler is slow and nears its timeout. See its traces.",
        _metric("AWS/Lambda", "Duration", {"FunctionName": api_handler.name}, "Average"),
        periods=3,
        threshold=settings.api_handler_duration_threshold,
    )
    alarm(
        "processor-errors",
        "The processor fails: items are late, then dead letters. See its log group.",
        _metric("AWS/Lambda", "Errors", {"FunctionName": processor.name}, "Sum"),
        periods=2,
        threshold=settings.processor_error_threshold,
    )
    alarm(
        "dynamodb-throttles",
        "DynamoDB throttles the metadata table: a hot key, or a table or account limit.",
        _throttles(table),
        periods=1,
        threshold=0,
    )
    # SQS falls silent on a queue that no one touched for six hours, whatever waits in it: an alarm that has
    # fired must not take silence for a cure.
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html
    alarm(
        "dlq-depth",
        "Items could not be processed and wait in the dead letter queue.",
        _depth(queues.dead_letters),
        periods=1,
        threshold=0,
        missing="ignore",
    )
    alarm(
        "failed-events-depth",
        "Asynchronous invocations failed for good; their events wait in the queue of failed events.",
        _depth(queues.failed_events),
        periods=1,
        threshold=0,
        missing="ignore",
    )


def _metric(
    namespace: str, name: str, dimensions: dict[str, pulumi.Input[str]], statistic: str
) -> dict[str, Any]:
    return {
        "namespace": namespace,
        "metric_name": name,
        "dimensions": dimensions,
        "statistic": statistic,
        "period": PERIOD_SECONDS,
    }


def _depth(queue: aws.sqs.Queue) -> dict[str, Any]:
    return _metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue.name}, "Maximum")


def _throttles(table: aws.dynamodb.Table) -> dict[str, Any]:
    queries: list[aws.cloudwatch.MetricAlarmMetricQueryArgsDict] = [
        {
            # SUM over a list adds what there is. `reads + writes` would be nothing whenever one of the two is
            # missing, which is nearly always: each is sent only while it throttles. FILL with 0 can hide the
            # latest data point when that arrives late.
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
            "id": "throttles",
            "label": "Throttled reads and writes",
            "expression": "SUM([reads, writes])",
            "return_data": True,
        }
    ]
    for key, name in (("reads", "ReadThrottleEvents"), ("writes", "WriteThrottleEvents")):
        queries.append(
            {
                "id": key,
                "metric": {
                    "namespace": "AWS/DynamoDB",
                    "metric_name": name,
                    "dimensions": {"TableName": table.name},
                    "stat": "Sum",
                    "period": PERIOD_SECONDS,
                },
                "return_data": False,
            }
        )
    return {"metric_queries": queries}
