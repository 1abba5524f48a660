from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_items import observability
from tests.lambdas.calls import call_api, call_processor, deliver, post

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
    assert followed == ["Item accepted", "Request served", "Item worked off"]
    accepted, *_ = lines
    assert accepted["item_id"] == reply.body["id"]
    assert all(line["function_request_id"] and line["function_name"] for line in lines)


@pytest.mark.emulator
def test_no_payload_gets_into_a_log_or_a_metric(
    stand: Stand, log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    call_api(post(ITEM))
    call_api(post({**ITEM, SECRET: 1}))
    call_api(post({**ITEM, "type": SECRET.upper()}))
    call_api(post(ITEM) | {"body": f'{{"{SECRET}": '})
    call_api(post(ITEM, Authorization=SECRET, Idempotency_Key=SECRET))
    stand.sqs.send_message(QueueUrl=stand.queue_url, MessageBody=SECRET)
    deliver(stand)
    call_processor({"id": SECRET, "timestamp": 1})
    assert len(log()) > 8
    assert SECRET not in json.dumps(log()).lower()
    assert SECRET not in capsys.readouterr().out.lower()


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
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units["MessageAge"] == "Milliseconds"
    assert units["ItemsProcessed"] == "Count"


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
