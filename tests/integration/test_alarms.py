"""Each of the stack's alarms fires on its condition, and who listens to the topic hears of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef, MetricDatumTypeDef

    from tests.integration.conftest import Tap

pytestmark = [pytest.mark.cli, pytest.mark.emulator]

# Each alarm: the metric that it watches, a value that is too much, and one that is not.
METRICS = {
    "tap-api-handler-errors": ("AWS/Lambda", "Errors", 6.0, "FunctionName", "tap-api-handler"),
    "tap-processor-errors": ("AWS/Lambda", "Errors", 11.0, "FunctionName", "tap-processor"),
    "tap-dlq-depth": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", 1.0, "QueueName", "tap-dlq"),
    "tap-api-handler-duration": ("AWS/Lambda", "Duration", 25_000_000.0, "FunctionName", "tap-api-handler"),
}
ALARMS = [*METRICS, "tap-dynamodb-throttles"]


@pytest.fixture(scope="module")
def heard(tap: Tap) -> Iterator[str]:
    """The URL of a queue that is subscribed to the stack's topic."""
    sqs, sns = tap.target.sqs, tap.target.sns
    url = sqs.create_queue(QueueName=f"tap-heard-{tap.suffix}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = tap.outputs["notificationTopicArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
    yield url
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    sqs.delete_queue(QueueUrl=url)


def _messages(tap: Tap, url: str) -> list[dict[str, str]]:
    received = tap.target.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
    found: list[dict[str, str]] = []
    for message in received.get("Messages", []):
        tap.target.sqs.delete_message(QueueUrl=url, ReceiptHandle=message.get("ReceiptHandle", ""))
        found.append(json.loads(json.loads(message.get("Body", "{}"))["Message"]))
    return found


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_fires_and_is_heard(tap: Tap, heard: str, alarm: str) -> None:
    cloudwatch, name = tap.target.cloudwatch, f"{alarm}-{tap.suffix}"
    found = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert len(found) == 1
    assert found[0].get("AlarmActions") == [tap.outputs["notificationTopicArn"]]
    assert found[0].get("ActionsEnabled")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="the test begins")
    while _messages(tap, heard):
        pass

    if alarm in METRICS and tap.target.emulated:
        namespace, metric, too_much, dimension, owner = METRICS[alarm]
        point: DimensionTypeDef = {"Name": dimension, "Value": f"{owner}-{tap.suffix}"}
        datum: MetricDatumTypeDef = {"MetricName": metric, "Value": too_much, "Dimensions": [point]}
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])
    else:
        # AWS lets nobody write into its own namespaces, and ministack 1.4 keeps nothing of an alarm's metric
        # math (the next test shows it): there the alarm is told its state, and what follows is tested.
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="the test says so")

    def in_alarm() -> bool:
        alarms = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return alarms[0].get("StateValue") == "ALARM"

    assert eventually(in_alarm)

    def told() -> list[dict[str, str]]:
        return [message for message in _messages(tap, heard) if message.get("AlarmName") == name]

    assert eventually(told)[0]["NewStateValue"] == "ALARM"
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="the test is over")


def test_the_emulator_keeps_no_metric_math(tap: Tap) -> None:
    """Why the alarm on throttles is told its state: once this fails, it can be tested like the others."""
    if not tap.target.emulated:
        pytest.skip("AWS keeps it")
    name = f"tap-dynamodb-throttles-{tap.suffix}"
    alarm = tap.target.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    assert "Metrics" not in alarm
