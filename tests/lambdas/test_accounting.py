"""Two hundred messages, with poison, duplicates and throttles among them: each one is accounted for."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from processor import app
from processor.delivery import Deliveries
from tap_items import stack
from tap_items.item import message_record_id, sha256_hex
from tap_items.object_store import incoming_name
from tap_items.record import ItemRecord, Status
from tap_items.work_queue import encode_message
from tests.lambdas.calls import call_api, deliver, post
from tests.lambdas.faults import THROTTLED, Fault, failing

if TYPE_CHECKING:
    from tests.lambdas.stand import Stand

pytestmark = [pytest.mark.emulator, pytest.mark.uncounted]

MESSAGES = 200
POISON = 12
DUPLICATES = 10
THROTTLE_SHARE = 0.1
SEED = 20261376


class Throttles:
    """Refuses a share of all calls, the same ones in each run; what it refused, by operation."""

    def __init__(self) -> None:
        self._random = random.Random(SEED)  # noqa: S311 - repeatable, not secret
        self.calls = 0
        self.refused: Counter[str] = Counter()

    def choose(self, operation: str) -> Fault | None:
        self.calls += 1
        if self._random.random() >= THROTTLE_SHARE:
            return None
        self.refused[operation] += 1
        return THROTTLED


@pytest.fixture
def at_once(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """Deliveries whose back-off is no time at all."""
    stand.sqs.set_queue_attributes(QueueUrl=stand.queue_url, Attributes={"VisibilityTimeout": "5"})
    made = Deliveries(app.item_work(), stack.records(), stack.work(), stack.now_milliseconds, _no_delay)
    monkeypatch.setattr(app, "deliveries", lambda: made)
    return stand


def _no_delay(_least: float, _most: float) -> float:
    return 0


def send(stand: Stand) -> set[str]:
    """Put the messages on the queue; the ids of the records that poison leads to."""
    poisoned: set[str] = set()
    for number in range(DUPLICATES):
        item = {"type": "order", "payload": {"number": number}}
        call_api(post(item))
        call_api(post(item))
    plant(stand, range(DUPLICATES, MESSAGES - POISON - DUPLICATES))
    for number in range(POISON // 2):
        answer = stand.sqs.send_message(QueueUrl=stand.queue_url, MessageBody=f"poison {number}")
        poisoned.add(message_record_id(answer["MessageId"]))
    for number in range(POISON // 2):
        item_id = call_api(post({"type": "poison", "payload": {"number": number}})).body["id"]
        stand.s3.put_object(Bucket=stand.bucket, Key=f"incoming/{item_id}.json", Body=b"changed")
        poisoned.add(item_id)
    return poisoned


def plant(stand: Stand, numbers: range) -> None:
    """Leave what the API leaves of items, in few calls."""
    records: list[ItemRecord] = []
    for number in numbers:
        content = json.dumps({"type": "order", "payload": {"number": number}}).encode()
        record = ItemRecord(
            id=f"{number:032x}",
            timestamp=stack.now_milliseconds(),
            status=Status.ACCEPTED,
            checksum=sha256_hex(content),
            size=len(content),
            data={"type": "order"},
            correlation_id="planted",
            updated_at=stack.now_milliseconds(),
        )
        stack.objects().create(incoming_name(record.id), content, {})
        records.append(record)
    serializer = TypeSerializer()
    for start in range(0, len(records), 25):
        rows = [
            {"PutRequest": {"Item": {k: serializer.serialize(v) for k, v in each.attributes().items()}}}
            for each in records[start : start + 25]
        ]
        answer = stand.dynamodb.batch_write_item(RequestItems={stand.table: rows})  # pyright: ignore[reportArgumentType]
        assert not answer["UnprocessedItems"]
    for start in range(0, len(records), 10):
        messages = [
            {"Id": each.id, "MessageBody": encode_message(each.key)} for each in records[start : start + 10]
        ]
        sent = stand.sqs.send_message_batch(QueueUrl=stand.queue_url, Entries=messages)  # pyright: ignore[reportArgumentType]
        assert not sent.get("Failed")


def dead_letters(stand: Stand) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        answer = stand.sqs.receive_message(
            QueueUrl=stand.dead_letter_url, MaxNumberOfMessages=10, VisibilityTimeout=600
        )
        if not answer.get("Messages"):
            return found
        found += [dict(message) for message in answer.get("Messages", [])]


def record_of(message: dict[str, Any]) -> str:
    """The id of the record that accounts for a dead letter."""
    try:
        return json.loads(message["Body"])["id"]
    except ValueError:
        return message_record_id(message["MessageId"])


def test_every_message_is_accounted_for(at_once: Stand) -> None:
    stand = at_once
    poisoned = send(stand)
    assert stand.depth(stand.queue_url) == MESSAGES
    throttles = Throttles()
    with failing(throttles.choose):
        while stand.depth(stand.queue_url):
            if deliver(stand) == (0, 0):
                # What could not even be timed comes again when its visibility timeout ends.
                time.sleep(0.2)

    rows = {row["id"]["S"]: row for row in stand.rows()}
    dead = Counter(record_of(message) for message in dead_letters(stand))
    status = Counter(row["status"]["S"] for row in rows.values())
    items = MESSAGES - DUPLICATES
    assert len(rows) == items
    # Everything that is not processed lies in the dead letter queue, with its reason in the table.
    unfinished = {item_id for item_id, row in rows.items() if row["status"]["S"] != "processed"}
    assert unfinished <= set(dead)
    assert all(rows[item_id]["reason"]["S"] for item_id in unfinished)
    # Nothing else does, but second copies of what is processed.
    assert all(rows[item_id]["status"]["S"] == "processed" for item_id in set(dead) - unfinished)
    assert poisoned <= unfinished
    # What is processed has exactly one result, and poison has none.
    results = stand.objects("processed/")
    with_result = {name.removeprefix("processed/").removesuffix(".json") for name in results}
    assert rows.keys() - unfinished <= with_result
    assert not with_result & poisoned
    assert stand.versions_below("processed/") == Counter(results)
    # The throttles were felt, and cost few items their five deliveries.
    assert sum(throttles.refused.values()) == pytest.approx(throttles.calls * THROTTLE_SHARE, rel=0.15)
    assert set(throttles.refused) >= {"GetItem", "GetObject", "PutObject", "UpdateItem"}
    assert status["processed"] >= (items - POISON) * 0.97
