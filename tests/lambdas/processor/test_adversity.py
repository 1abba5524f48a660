"""What no client sends and no plan foresees: defects, hostile senders, vanished rows, giant objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from processor.app import DependencyError
from processor.delivery import delivery_of
from tests.lambdas.calls import call_api, call_processor, deliver, http_event, post, receive
from tests.lambdas.faults import THROTTLED, failing_on, hooked, recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lambdas.stand import Stand

    Log = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.emulator

ITEM = {"type": "order", "payload": {"n": 1}}


def the_row(stand: Stand) -> dict[str, Any]:
    (row,) = stand.rows()
    return {name: next(iter(value.values())) for name, value in row.items()}


def again_at_once(stand: Stand, record: dict[str, Any]) -> None:
    stand.sqs.change_message_visibility(
        QueueUrl=stand.queue_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
    )


def test_a_defect_of_ours_fails_its_message_with_the_reason(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    call_api(post(ITEM))

    def broken(*_: object) -> None:
        raise ValueError("hunter2")

    with monkeypatch.context() as patched, recorded() as calls:
        patched.setattr("processor.work.transform", broken)
        (record,) = receive(stand)
        response = call_processor({"Records": [record]})
    assert response == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    (line,) = [line for line in log() if line["level"] == "ERROR"]
    assert line["error_type"] == "ValueError"
    row = the_row(stand)
    assert (row["status"], row["attempts"]) == ("accepted", "1")
    assert row["reason"] == "Attempt failed: unexpected ValueError."
    assert "hunter2" not in json.dumps([log(), row])
    assert calls[-1].operation == "ChangeMessageVisibility"
    again_at_once(stand, record)
    assert deliver(stand) == (1, 0)
    assert the_row(stand)["status"] == "processed"


HOSTILE: dict[str, dict[str, Any]] = {
    "attributes gone": {"attributes": None},
    "attributes no object": {"attributes": []},
    "count no number": {"attributes": {"ApproximateReceiveCount": "many", "SentTimestamp": "-1"}},
    "count other digits": {"attributes": {"ApproximateReceiveCount": "\u0661", "SentTimestamp": "9" * 5000}},
    "binary": {"messageAttributes": {"correlationId": {"binaryValue": "aHVudGVyMg==", "dataType": "Binary"}}},
    "null": {"messageAttributes": {"correlationId": {"stringValue": None, "dataType": "Binary"}}},
    "attribute no object": {"messageAttributes": {"correlationId": "hunter2"}},
    "no correlation id": {"messageAttributes": {"correlationId": {"stringValue": "pin hunter2\n"}}},
}


@pytest.mark.parametrize("parts", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_a_sender_chose_neither_stops_a_message_nor_gets_into_the_log(
    stand: Stand, log: Log, parts: dict[str, Any]
) -> None:
    call_api(post(ITEM))
    (record,) = receive(stand)
    assert call_processor({"Records": [record | parts]}) == {"batchItemFailures": []}
    assert the_row(stand)["status"] == "processed"
    foreign = record | parts | {"body": "x"}
    assert len(call_processor({"Records": [foreign]})["batchItemFailures"]) == 1
    assert "hunter2" not in json.dumps([log(), stand.rows()])


def test_what_a_record_lacks_counts_as_the_first_delivery() -> None:
    delivery = delivery_of({"messageId": "m", "receiptHandle": "r", "body": "b"})
    assert (delivery.attempt, delivery.sent_at, delivery.correlation_id) == (1, 0, "")


def test_a_giant_where_the_object_was_is_poison_and_is_not_read(stand: Stand) -> None:
    item_id = call_api(post(ITEM)).body["id"]
    giant = b" " * 8_000_000
    stand.s3.put_object(Bucket=stand.bucket, Key=f"incoming/{item_id}.json", Body=giant)
    read: list[int] = []

    def count(parsed: dict[str, Any], **_: object) -> None:
        body = parsed["Body"]
        original = body.read

        def counted(amount: int | None = None) -> bytes:
            content: bytes = original(amount)
            read.append(len(content))
            return content

        body.read = counted

    with hooked("after-call.s3.GetObject", count):
        assert deliver(stand) == (1, 1)
    assert the_row(stand)["reason"] == "The item's object does not have the recorded checksum and size."
    assert sum(read) < 1000


def test_a_rejected_item_keeps_why_when_a_later_delivery_meets_a_failing_dependency(stand: Stand) -> None:
    item_id = call_api(post(ITEM)).body["id"]
    stand.s3.delete_object(Bucket=stand.bucket, Key=f"incoming/{item_id}.json")
    assert deliver(stand) == (1, 1)
    before = the_row(stand)
    assert before["status"] == "rejected"
    with failing_on(THROTTLED, "GetObject"):
        assert deliver(stand) == (1, 1)
    assert the_row(stand) == before


def test_a_record_that_went_away_is_no_success(stand: Stand) -> None:
    call_api(post(ITEM))
    (record,) = receive(stand)
    key = {name: value for name, value in stand.rows()[0].items() if name in {"id", "timestamp"}}

    def remove(**_: object) -> None:
        stand.dynamodb.delete_item(TableName=stand.table, Key=key)

    with hooked("after-call.s3.PutObject", remove), pytest.raises(DependencyError):
        call_processor({"Records": [record]})
    assert stand.rows() == []
    again_at_once(stand, record)
    while stand.depth(stand.queue_url):
        deliver(stand)
    assert stand.depth(stand.dead_letter_url) == 1
    assert the_row(stand)["reason"] == "The message names an item that has no record."


FOREIGN_ROW = {"id": {"S": "0" * 32}, "timestamp": {"N": "1"}}
FOREIGN_ROWS: dict[str, dict[str, Any]] = {
    "key only": FOREIGN_ROW,
    "another status": {"status": {"S": "hunter2"}},
    "data no map": {"data": {"S": "hunter2"}},
    "size no whole number": {"size": {"N": "1.5"}},
    "checksum bytes": {"checksum": {"B": b"hunter2"}},
    "data no JSON": {"data": {"M": {"a": {"NS": ["1"]}, "b": {"B": b"x"}, "c": {"N": "0.5"}}}},
}


@pytest.mark.parametrize("parts", FOREIGN_ROWS.values(), ids=FOREIGN_ROWS.keys())
def test_a_row_that_others_wrote_stops_nothing(stand: Stand, log: Log, parts: dict[str, Any]) -> None:
    call_api(post(ITEM))
    whole = stand.rows()[0] if parts is not FOREIGN_ROW else {}
    stand.dynamodb.put_item(TableName=stand.table, Item={**whole, **parts, **FOREIGN_ROW})
    page = call_api(http_event("GET", "/items"))
    readable = "M" in parts.get("data", {})
    assert (page.status, len(page.body["items"])) == (200, 2 if readable else 1)
    assert call_api(http_event("GET", "/items/" + "0" * 32)).status == (200 if readable else 404)
    key = {"id": "0" * 32, "timestamp": 1}
    assert call_processor(key)["statusCode"] == (422 if readable else 404)
    assert "hunter2" not in json.dumps(log())
