from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import processor.app
from tap_items.item import message_record_id
from tests.lambdas.calls import call_api, call_processor, deliver, post, receive
from tests.lambdas.faults import DENIED, SLOW_DOWN, THROTTLED, Fault, failing_on, recorded
from tests.lambdas.json_values import json_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lambdas.stand import Stand

    Log = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.emulator

ITEM = {"type": "order", "payload": {"name": " Ada ", "n": 2.0}}


def accept(stand: Stand) -> str:
    """Ingest an item; its id."""
    assert stand.depth(stand.queue_url) == 0
    return call_api(post(ITEM)).body["id"]


def drain(stand: Stand, turns: int = 30) -> None:
    """Deliver until the work queue is empty."""
    for _ in range(turns):
        if deliver(stand) == (0, 0) and stand.depth(stand.queue_url) == 0:
            return
    raise AssertionError("the work queue is not empty")


def the_row(stand: Stand) -> dict[str, Any]:
    (row,) = stand.rows()
    return {name: next(iter(value.values())) for name, value in row.items()}


def test_an_item_is_processed(stand: Stand) -> None:
    item_id = accept(stand)
    assert deliver(stand) == (1, 0)
    result = json.loads(stand.read(f"processed/{item_id}.json"))
    assert result["payload"] == {"name": "Ada", "n": 2}
    head = stand.s3.head_object(Bucket=stand.bucket, Key=f"processed/{item_id}.json")
    assert (head["ServerSideEncryption"], head.get("SSEKMSKeyId")) == ("aws:kms", stand.key_arn)
    assert the_row(stand)["status"] == "processed"
    assert stand.depth(stand.queue_url) == 0


def test_a_message_that_comes_twice_is_processed_once(stand: Stand) -> None:
    item_id = accept(stand)
    call_api(post(ITEM))
    assert deliver(stand) == (2, 0)
    assert stand.versions(f"processed/{item_id}.json") == 1
    with recorded() as calls:
        call_api(post(ITEM))
    assert "SendMessage" not in [call.operation for call in calls]


def poison_object(stand: Stand, item_id: str, content: bytes, *, fix_record: bool) -> None:
    """Put something else where the item's object was; `fix_record` makes the record agree with it."""
    stand.s3.put_object(Bucket=stand.bucket, Key=f"incoming/{item_id}.json", Body=content)
    if fix_record:
        row = stand.rows()[0]
        checksum, size = hashlib.sha256(content).hexdigest(), str(len(content))
        row |= {"checksum": {"S": checksum}, "size": {"N": size}}
        stand.dynamodb.put_item(TableName=stand.table, Item=row)


POISON: dict[str, tuple[bytes | None, bool, str]] = {
    "missing": (None, False, "The item's object is missing from the bucket."),
    "changed": (
        b'{"type":"order","payload":{}}',
        False,
        "The item's object does not have the recorded checksum",
    ),
    "no JSON": (b"{hunter2", True, "The item's object cannot be read: malformed JSON (line 1, column 2)."),
    "name twice": (b'{"a":1,"a":1}', True, "The item's object cannot be read: a name stands twice"),
    "no item": (b'{"type":"hunter2"}', True, "The item breaks its schema: /payload is required."),
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
def test_poison_goes_to_the_dead_letter_queue_with_its_reason(
    stand: Stand, log: Log, poison: tuple[bytes | None, bool, str]
) -> None:
    content, fix_record, reason = poison
    item_id = accept(stand)
    if content is None:
        stand.s3.delete_object(Bucket=stand.bucket, Key=f"incoming/{item_id}.json")
    else:
        poison_object(stand, item_id, content, fix_record=fix_record)
    drain(stand)
    row = the_row(stand)
    assert (row["status"], row["attempts"]) == ("rejected", "5")
    assert row["reason"].startswith(reason)
    assert stand.depth(stand.dead_letter_url) == 1
    assert stand.objects("processed/") == []
    assert "hunter2" not in json.dumps([log(), row])


FOREIGN = ["", "{}", "hunter2", "[" * 5000, '{"version":1,"id":"../x","timestamp":1}', "\u0000é"]


@pytest.mark.parametrize("body", [*FOREIGN, json.dumps({"version": 1, "id": "0" * 32, "timestamp": 5})])
def test_a_message_that_is_not_ours_is_recorded_and_dead_lettered(stand: Stand, log: Log, body: str) -> None:
    # SQS takes no empty body and no control characters.
    message_id = stand.sqs.send_message(
        QueueUrl=stand.queue_url, MessageBody=body.replace("\u0000", "") or " "
    )
    drain(stand)
    row = the_row(stand)
    assert row["id"] == message_record_id(message_id["MessageId"])
    assert (row["status"], row["data"]) == ("rejected", {"messageId": {"S": message_id["MessageId"]}})
    assert row["reason"].startswith(
        ("The message is not one of ours: ", "The message names an item that has no")
    )
    assert stand.depth(stand.dead_letter_url) == 1
    assert "hunter2" not in json.dumps([log(), row])


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(st.text(max_size=80) | json_values(5).map(json.dumps), min_size=1, max_size=3))
def test_any_message_is_answered(stand: Stand, bodies: list[str]) -> None:
    records = [
        {"eventSource": "aws:sqs", "messageId": f"m{number}", "receiptHandle": "none", "body": body}
        for number, body in enumerate(bodies)
    ]
    response = call_processor({"Records": records})
    failed = {each["itemIdentifier"] for each in response["batchItemFailures"]}
    assert failed == {record["messageId"] for record in records}
    rows = {row["id"]["S"]: row for row in stand.rows()}
    assert all(message_record_id(record["messageId"]) in rows for record in records)


def test_poison_does_not_hold_up_its_batch(stand: Stand) -> None:
    stand.sqs.send_message(QueueUrl=stand.queue_url, MessageBody="poison")
    for number in range(3):
        call_api(post({"type": "order", "payload": {"n": number}}))
    stand.sqs.send_message(QueueUrl=stand.queue_url, MessageBody="poison")
    assert deliver(stand) == (5, 2)
    assert sorted(row["status"]["S"] for row in stand.rows()) == ["processed"] * 3 + ["rejected"] * 2


@pytest.mark.parametrize("fault", [THROTTLED, SLOW_DOWN, DENIED])
@pytest.mark.parametrize("operation", ["GetItem", "GetObject", "PutObject"])
def test_a_failing_dependency_postpones_with_the_reason_and_changes_nothing_else(
    stand: Stand, operation: str, fault: Fault
) -> None:
    accept(stand)
    records = receive(stand)
    with failing_on(fault, operation), recorded() as calls, pytest.raises(processor.app.DependencyError):
        call_processor({"Records": records})
    row = the_row(stand)
    assert (row["status"], row["attempts"]) == ("accepted", "1")
    assert row["reason"] == f"Attempt failed: {operation}: {fault.code}."
    (delay,) = [call.params for call in calls if call.operation == "ChangeMessageVisibility"]
    assert 5 <= delay["VisibilityTimeout"] <= 10
    assert delay["ReceiptHandle"] == records[0]["receiptHandle"]
    _deliver_at_once(stand, records[0])
    row = the_row(stand)
    assert row["status"] == "processed"
    assert "reason" not in row


def test_a_reason_that_cannot_be_recorded_is_logged(stand: Stand, log: Log) -> None:
    accept(stand)
    with failing_on(THROTTLED, "UpdateItem", "ChangeMessageVisibility"):
        assert deliver(stand) == (1, 1)
    messages = [line["message"] for line in log()]
    assert "The reason of a failed attempt could not be recorded" in messages
    assert "The next delivery could not be timed" in messages
    assert the_row(stand)["status"] == "accepted"


def test_poison_waits_while_its_reason_cannot_be_recorded(stand: Stand) -> None:
    stand.sqs.send_message(QueueUrl=stand.queue_url, MessageBody="poison")
    with failing_on(THROTTLED, "PutItem"), recorded() as calls:
        assert deliver(stand) == (1, 1)
    (delay,) = [call.params for call in calls if call.operation == "ChangeMessageVisibility"]
    assert delay["VisibilityTimeout"] >= 1
    assert stand.rows() == []


def test_a_batch_with_a_success_does_not_fail_as_a_whole(stand: Stand) -> None:
    accept(stand)
    call_api(post({**ITEM, "type": "other"}))
    records = receive(stand)
    assert len(records) == 2
    first = records[0]["body"]
    # The first item is processed already, so that only the second one asks for its object.
    stand.dynamodb.update_item(
        TableName=stand.table,
        Key={"id": {"S": json.loads(first)["id"]}, "timestamp": {"N": str(json.loads(first)["timestamp"])}},
        UpdateExpression="SET #s = :p",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":p": {"S": "processed"}},
    )
    with failing_on(THROTTLED, "GetObject"):
        response = call_processor({"Records": records})
    assert response == {"batchItemFailures": [{"itemIdentifier": records[1]["messageId"]}]}


def test_an_empty_batch_is_no_failure(stand: Stand) -> None:
    assert call_processor({"Records": []}) == {"batchItemFailures": []}
    assert stand.rows() == []


@pytest.mark.usefixtures("stand")
@pytest.mark.parametrize(
    "records",
    [
        None,
        "text",
        [1],
        [{}],
        [{"eventSource": "aws:s3", "messageId": "m", "receiptHandle": "r", "body": "b"}],
        [{"eventSource": "aws:sqs", "messageId": 1, "receiptHandle": "r", "body": "b"}],
        [{"EventSource": "aws:sns", "Sns": {"Message": "m"}}],
    ],
)
def test_records_of_another_source_are_refused_so_that_it_keeps_them(records: object) -> None:
    with pytest.raises(processor.app.WrongSourceError):
        call_processor({"Records": records})


def _deliver_at_once(stand: Stand, record: dict[str, Any]) -> None:
    stand.sqs.change_message_visibility(
        QueueUrl=stand.queue_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
    )
    assert deliver(stand) == (1, 0)
