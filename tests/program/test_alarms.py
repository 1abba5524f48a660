"""Alarms and who hears them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pulumi
import pytest

from tap_stack.functions import API_HANDLER
from tests.program.recording import ACCOUNT, REGION, Recording, declare, statements

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:tap-alarms-dev"
OTHER_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:operations"


def alarms(recording: Recording) -> dict[str, Mapping[str, object]]:
    return {
        str(alarm.inputs["name"]): alarm.inputs
        for alarm in recording.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")
    }


@pytest.mark.parametrize(
    ("name", "metric", "dimensions", "statistic", "periods_and_threshold", "missing"),
    [
        (
            "tap-api-handler-errors-dev",
            "AWS/Lambda Errors",
            {"FunctionName": "tap-api-handler-dev"},
            "Sum",
            (2, 5),
            "notBreaching",
        ),
        (
            "tap-api-handler-5xx-dev",
            "AWS/Lambda Url5xxCount",
            {"FunctionName": "tap-api-handler-dev"},
            "Sum",
            (2, 5),
            "notBreaching",
        ),
        (
            "tap-processor-errors-dev",
            "AWS/Lambda Errors",
            {"FunctionName": "tap-processor-dev"},
            "Sum",
            (2, 10),
            "notBreaching",
        ),
        (
            "tap-api-handler-duration-dev",
            "AWS/Lambda Duration",
            {"FunctionName": "tap-api-handler-dev"},
            "Average",
            (3, 20_000),
            "notBreaching",
        ),
        (
            "tap-dlq-depth-dev",
            "AWS/SQS ApproximateNumberOfMessagesVisible",
            {"QueueName": "tap-dlq-dev"},
            "Maximum",
            (1, 0),
            "ignore",
        ),
        (
            "tap-failed-events-depth-dev",
            "AWS/SQS ApproximateNumberOfMessagesVisible",
            {"QueueName": "tap-failed-events-dev"},
            "Maximum",
            (1, 0),
            "ignore",
        ),
    ],
)
def test_alarm(
    deployed: Recording,
    name: str,
    metric: str,
    dimensions: dict[str, str],
    statistic: str,
    periods_and_threshold: tuple[int, int],
    missing: str,
) -> None:
    alarm = alarms(deployed)[name]
    assert f"{alarm['namespace']} {alarm['metricName']}" == metric
    assert alarm["dimensions"] == dimensions
    assert (alarm["statistic"], alarm["period"]) == (statistic, 300)
    assert (alarm["evaluationPeriods"], alarm["threshold"]) == periods_and_threshold
    assert alarm["comparisonOperator"] == "GreaterThanThreshold"
    assert alarm["treatMissingData"] == missing


def test_throttles_are_reads_and_writes_of_the_table(deployed: Recording) -> None:
    alarm = alarms(deployed)["tap-dynamodb-throttles-dev"]
    assert (alarm["evaluationPeriods"], alarm["threshold"]) == (1, 0)
    assert alarm["comparisonOperator"] == "GreaterThanThreshold"
    assert alarm["treatMissingData"] == "notBreaching"
    assert "metricName" not in alarm
    total, *metrics = cast("list[dict[str, object]]", alarm["metricQueries"])
    assert (total["expression"], total["returnData"]) == ("SUM([reads, writes])", True)
    assert metrics == [
        {
            "id": query,
            "returnData": False,
            "metric": {
                "namespace": "AWS/DynamoDB",
                "metricName": metric,
                "dimensions": {"TableName": "tap-metadata-dev"},
                "stat": "Sum",
                "period": 300,
            },
        }
        for query, metric in (("reads", "ReadThrottleEvents"), ("writes", "WriteThrottleEvents"))
    ]


@pytest.mark.parametrize("topic", [None, OTHER_TOPIC, pulumi.Output.from_input(OTHER_TOPIC)])
def test_every_alarm_tells_the_topic_when_it_fires_and_when_it_is_over(
    topic: pulumi.Input[str] | None,
) -> None:
    recording = declare({} if topic is None else {"notification_topic_arn": topic})
    expected = OWN_TOPIC if topic is None else OTHER_TOPIC
    found = alarms(recording)
    assert len(found) == 7
    for alarm in found.values():
        assert alarm["alarmActions"] == alarm["okActions"] == [expected]
        assert alarm.get("actionsEnabled", True) is True
        assert alarm["alarmDescription"]
    assert recording.outputs["notificationTopicArn"] == expected


def test_thresholds_are_settings() -> None:
    found = alarms(
        declare(
            {
                "api_handler_error_threshold": 1,
                "processor_error_threshold": 2,
                "api_handler_duration_threshold": 3000,
            }
        )
    )
    assert found["tap-api-handler-errors-dev"]["threshold"] == 1
    assert found["tap-api-handler-5xx-dev"]["threshold"] == 1
    assert found["tap-processor-errors-dev"]["threshold"] == 2
    assert found["tap-api-handler-duration-dev"]["threshold"] == 3000


def test_the_slow_alarm_comes_before_the_timeout(deployed: Recording) -> None:
    threshold = cast("float", alarms(deployed)["tap-api-handler-duration-dev"]["threshold"])
    assert threshold < API_HANDLER.timeout_seconds * 1000


def test_own_topic_is_encrypted_and_takes_this_stack_s_alarms_only(deployed: Recording) -> None:
    topic = deployed.one("aws:sns/topic:Topic")
    assert topic.inputs["name"] == "tap-alarms-dev"
    assert topic.inputs["kmsMasterKeyId"] == f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0123-abcd"
    policy = deployed.one("aws:sns/topicPolicy:TopicPolicy").inputs
    assert policy["arn"] == OWN_TOPIC
    publish, plain = statements(policy["policy"])
    assert publish["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert (publish["Effect"], publish["Action"], publish["Resource"]) == ("Allow", "sns:Publish", OWN_TOPIC)
    condition = cast("dict[str, dict[str, list[str]]]", publish["Condition"])
    assert condition["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert sorted(condition["ArnEquals"]["aws:SourceArn"]) == sorted(
        f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}" for name in alarms(deployed)
    )
    assert (plain["Effect"], plain["Principal"], plain["Resource"]) == ("Deny", "*", [OWN_TOPIC])
    assert plain["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_an_existing_topic_replaces_the_own_one() -> None:
    recording = declare({"notification_topic_arn": OTHER_TOPIC})
    assert not [name for name in recording.resources if "alarm-topic" in name]


def test_an_address_is_subscribed(production: Recording, deployed: Recording) -> None:
    assert production.one("aws:sns/topicSubscription:TopicSubscription").inputs == {
        "topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:tap-alarms-prod",
        "protocol": "email",
        "endpoint": "ops@example.com",
    }
    assert not deployed.of_type("aws:sns/topicSubscription:TopicSubscription")


def test_an_address_may_be_a_secret() -> None:
    recording = declare({"notification_email": pulumi.Output.secret("ops@example.com")})
    endpoint = recording.one("aws:sns/topicSubscription:TopicSubscription").inputs["endpoint"]
    assert cast("dict[str, str]", endpoint)["value"] == "ops@example.com"


@pytest.mark.parametrize(
    ("stack", "email", "warned"),
    [("TapStackprod", "", True), ("TapStackprod", "ops@example.com", False), ("dev", "", False)],
)
def test_protected_data_that_nobody_watches_is_worth_a_warning(
    stack: str,
    email: str,
    warned: bool,  # noqa: FBT001
    caplog: pytest.LogCaptureFixture,
) -> None:
    declare({"notification_email": email}, stack=stack)
    assert ("The alarms of TapStack `tap` notify no one" in caplog.text) == warned
