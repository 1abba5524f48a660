from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from processor.app import DependencyError
from tap_items import observability
from tests.lambdas.calls import call_api, call_processor, deliver, post, receive
from tests.lambdas.faults import THROTTLED, failing_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lambdas.stand import Stand

    Log = Callable[[], list[dict[str, Any]]]

SECRET = "hunter2"
ITEM = {"type": "order", "payload": {SECRET: [SECRET]}, "source": "web", "tags": ["t"]}


def metrics_in(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines() if '"_aws"' in line]


@pytest.mark.emulator
def test_an_item_is_followed_by_its_correlation_id(stand: Stand, log: Log) -> None:
    reply = call_api(post(ITEM, X_Correlation_Id="follow-me"))
    deliver(stand)
    lines = log()
    followed = [line["message"] for line in lines if line.get("correlation_id") == "follow-me"]
    assert followed == ["Item accepted", "Request served", "Item processed"]
    accepted, *_ = lines
    assert accepted["item_id"] == reply.body["id"]
    assert all(line["function_request_id"] and line["function_name"] for line in lines)


@pytest.mark.emulator
def test_metrics_tell_what_became_of_the_messages(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    call_api(post(ITEM))
    call_api(post(ITEM))
    call_api(post([]))
    stand.sqs.send_message(QueueUrl=stand.queue_url, MessageBody="poison")
    assert deliver(stand) == (3, 1)
    accepted, replayed, refused, batch = metrics_in(capsys.readouterr().out)
    assert accepted["ItemsAccepted"] == [1.0]
    assert replayed["ItemsReplayed"] == [1.0]
    assert refused["RequestsRefused"] == [1.0]
    assert (batch["ItemsProcessed"], batch["ItemsDuplicate"], batch["ItemsRejected"]) == ([1.0], [1.0], [1.0])
    assert len(batch["MessageAge"]) == 3
    assert all(0 <= age < 60_000 for age in batch["MessageAge"])
    directive = batch["_aws"]["CloudWatchMetrics"][0]
    assert directive["Namespace"] == "TapStack"
    assert "environment" in directive["Dimensions"][0]
    assert {document["environment"] for document in (accepted, replayed, refused, batch)} == {"test"}
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units["MessageAge"] == "Milliseconds"
    assert units["ItemsProcessed"] == "Count"


EMF: dict[str, Any] = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 1_600_000_000_000},
                "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/directive"}},
            },
        }
    },
    "$defs": {
        "directive": {
            "type": "object",
            "required": ["Namespace", "Dimensions", "Metrics"],
            "properties": {
                "Namespace": {"type": "string", "minLength": 1, "maxLength": 255},
                "Dimensions": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "array", "minItems": 1, "maxItems": 30, "items": {"type": "string"}},
                },
                "Metrics": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 100,
                    "items": {
                        "type": "object",
                        "required": ["Name", "Unit"],
                        "properties": {
                            "Name": {"type": "string", "minLength": 1, "maxLength": 255},
                            "Unit": {"enum": ["Count", "Milliseconds"]},
                        },
                    },
                },
            },
        }
    },
}
"""What CloudWatch takes as a metric (specification of the embedded metric format)."""


def assert_valid(document: dict[str, Any]) -> None:
    """Hold a document against the schema, and its directives against its members."""
    validator: Any = Draft202012Validator(EMF)
    assert list(validator.iter_errors(document)) == []
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for name in (name for names in directive["Dimensions"] for name in names):
            assert isinstance(document[name], str)
        for metric in directive["Metrics"]:
            values = document[metric["Name"]]
            assert 1 <= len(values) <= 100
            assert all(isinstance(value, int | float) for value in values)


@pytest.mark.emulator
def test_each_line_of_metrics_is_one_that_cloudwatch_takes(
    stand: Stand, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider: Any = observability.metrics.provider
    monkeypatch.setattr(provider, "service", "tap-api-handler")
    for number in range(9):
        call_api(post({**ITEM, "payload": {"n": number}}))
    call_api(post([]))
    with failing_on(THROTTLED, "PutItem"):
        call_api(post({**ITEM, "type": "other"}))
    stand.sqs.send_message(QueueUrl=stand.queue_url, MessageBody="poison")
    with failing_on(THROTTLED, "GetObject"), pytest.raises(DependencyError):
        call_processor({"Records": [record for record in receive(stand) if "poison" not in record["body"]]})
    stand.sqs.send_message(QueueUrl=stand.queue_url, MessageBody="poison")
    deliver(stand)
    written = metrics_in(capsys.readouterr().out)
    assert len(written) == 9 + 1 + 1 + 2
    for document in written:
        assert_valid(document)
        assert (document["service"], document["environment"]) == ("tap-api-handler", "test")
        assert sorted(document["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) == ["environment", "service"]
    names = {metric["Name"] for each in written for metric in each["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    processing = {"ItemsPostponed", "ItemsRejected", "MessageAge"}
    assert names == {"ItemsAccepted", "RequestsRefused", "RequestsFailed", *processing}


@pytest.mark.emulator
@pytest.mark.usefixtures("stand")
def test_an_invocation_without_metrics_writes_none(capsys: pytest.CaptureFixture[str]) -> None:
    call_processor({"test": "integration"})
    assert metrics_in(capsys.readouterr().out) == []


@pytest.mark.emulator
@pytest.mark.usefixtures("stand")
def test_nothing_of_an_invocation_gets_into_the_next_ones_log(log: Log) -> None:
    call_api(post(ITEM, X_Correlation_Id="mine"))
    before = len(log())
    call_api([])
    assert "correlation_id" not in log()[before]


def test_an_unexpected_error_is_told_without_its_message() -> None:
    with pytest.raises(ValueError, match="Expecting value") as caught:
        json.loads(SECRET)
    told = observability.describe_error(caught.value)
    assert told["error_type"] == "JSONDecodeError"
    assert SECRET not in json.dumps(told)
