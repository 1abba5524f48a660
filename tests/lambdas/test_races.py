"""Two at the same work: the second does all of its own between two calls of the first, at each such place."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from api_handler.app import ingestion as the_ingestion
from api_handler.ingest import Submission
from api_handler.problem import ProblemError
from processor.transform import COUNTED
from tests.lambdas.calls import call_api, call_processor, deliver, post, receive
from tests.lambdas.faults import KilledError, hooked, killed_after

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tap_items.record import ItemRecord
    from tests.lambdas.stand import Stand

pytestmark = pytest.mark.emulator

ITEM: dict[str, Any] = {"type": "order", "payload": {"n": 1}}
PROCESSING = ["GetItem", "GetObject", "PutObject", "UpdateItem"]
INGESTION = ["PutObject", "PutItem", "SendMessage"]


@contextmanager
def between(number: int, meanwhile: Callable[[], object]) -> Generator[None]:
    """Do something after the n-th call (from 1), before whoever made it sees the answer."""
    done = 0

    def act(**_: object) -> None:
        nonlocal done
        done += 1
        if done == number:
            meanwhile()

    with hooked("after-call", act):
        yield


def again_at_once(stand: Stand, record: dict[str, Any]) -> None:
    stand.sqs.change_message_visibility(
        QueueUrl=stand.queue_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
    )


def the_status(stand: Stand) -> str:
    (row,) = stand.rows()
    return row["status"]["S"]


@pytest.mark.parametrize("number", range(1, 5), ids=PROCESSING)
def test_two_processors_of_one_message_leave_one_result(stand: Stand, number: int) -> None:
    call_api(post(ITEM))
    event = {"Records": receive(stand)}
    answers: list[dict[str, Any]] = []
    with between(number, lambda: answers.append(call_processor(event))):
        answers.append(call_processor(event))
    assert answers == [{"batchItemFailures": []}] * 2
    assert the_status(stand) == "processed"
    (name,) = stand.objects("processed/")
    assert stand.versions(name) == 1


@pytest.mark.parametrize("number", range(2, 5), ids=["GetObject", "UpdateItem", "ChangeMessageVisibility"])
def test_a_late_rejection_does_not_undo_a_result(stand: Stand, number: int) -> None:
    call_api(post(ITEM))
    (name,) = stand.objects("incoming/")
    content = stand.read(name)
    stand.s3.delete_object(Bucket=stand.bucket, Key=name)
    (record,) = receive(stand)

    def repair_and_process() -> None:
        stand.s3.put_object(Bucket=stand.bucket, Key=name, Body=content)
        assert call_processor({"Records": [record]}) == {"batchItemFailures": []}

    with between(number, repair_and_process):
        assert len(call_processor({"Records": [record]})["batchItemFailures"]) == 1
    assert the_status(stand) == "processed"
    assert "reason" not in stand.rows()[0]
    again_at_once(stand, record)
    assert deliver(stand) == (1, 0)


OLDER: dict[str, int] = dict.fromkeys(COUNTED, 7)


def older(*_: object) -> tuple[bytes, dict[str, int]]:
    """What an older version of the transform makes of an item."""
    return b'{"form":"older"}', OLDER


def test_a_result_stays_when_another_version_of_the_transform_comes_after_a_crash(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_api(post(ITEM))
    (record,) = receive(stand)
    with monkeypatch.context() as patched:
        patched.setattr("processor.work.transform", older)
        with killed_after(3), pytest.raises(KilledError):
            call_processor({"Records": [record]})
    assert call_processor({"Records": [record]}) == {"batchItemFailures": []}
    assert_the_older_result_and_its_counts(stand)


def test_two_versions_of_the_transform_at_once_agree_on_one_result(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_api(post(ITEM))
    (record,) = receive(stand)

    def process_with_the_older_one() -> None:
        with monkeypatch.context() as patched:
            patched.setattr("processor.work.transform", older)
            assert call_processor({"Records": [record]}) == {"batchItemFailures": []}

    # The newer one has read that the item is not processed; when it stores its result, there is one.
    with between(2, process_with_the_older_one):
        assert call_processor({"Records": [record]}) == {"batchItemFailures": []}
    assert_the_older_result_and_its_counts(stand)


def assert_the_older_result_and_its_counts(stand: Stand) -> None:
    (row,) = stand.rows()
    (name,) = stand.objects("processed/")
    assert stand.read(name) == b'{"form":"older"}'
    assert stand.versions(name) == 1
    assert {key: int(value["N"]) for key, value in row["result"]["M"].items()} == OLDER


def send_again_after_removal(stand: Stand) -> int:
    """Remove an item's object and send the item again: a second record with its id; the younger timestamp."""
    (name,) = stand.objects("incoming/")
    stand.s3.delete_object(Bucket=stand.bucket, Key=name)
    reply = call_api(post(ITEM))
    assert (reply.status, reply.headers["idempotent-replayed"]) == (202, "false")
    assert len(stand.rows()) == 2
    return reply.body["timestamp"]


def received_at(stand: Stand) -> tuple[str, int]:
    (name,) = stand.objects("processed/")
    return json.loads(stand.read(name))["receivedAt"], stand.versions(name)


def test_an_older_record_never_replaces_the_result_of_a_younger_one(stand: Stand) -> None:
    call_api(post(ITEM))
    (old,) = receive(stand)
    send_again_after_removal(stand)
    (young,) = receive(stand)
    assert call_processor({"Records": [young]}) == {"batchItemFailures": []}
    before = received_at(stand)
    assert len(call_processor({"Records": [old]})["batchItemFailures"]) == 1
    assert received_at(stand) == before
    rows = {row["status"]["S"]: row for row in stand.rows()}
    assert set(rows) == {"processed", "rejected"}
    assert rows["rejected"]["reason"] == {"S": "A younger record of this item has its result."}


def test_a_younger_record_replaces_the_result_of_an_older_one(stand: Stand) -> None:
    call_api(post(ITEM))
    assert deliver(stand) == (1, 0)
    before, _ = received_at(stand)
    send_again_after_removal(stand)
    assert deliver(stand) == (1, 0)
    after, versions = received_at(stand)
    assert after > before
    assert versions == 2
    assert [row["status"]["S"] for row in stand.rows()] == ["processed"] * 2


def submission(value: dict[str, Any] = ITEM, key: str | None = None) -> Submission:
    return Submission(json.dumps(value).encode(), value, "caller", key, "correlation")


KEYS = pytest.mark.parametrize("key", [None, "order-1"], ids=["by content", "by key"])


@KEYS
@pytest.mark.parametrize("number", range(1, 4), ids=INGESTION)
def test_two_equal_requests_at_once_are_one(stand: Stand, number: int, key: str | None) -> None:
    taken: list[tuple[ItemRecord, bool]] = []
    ingestion = the_ingestion()
    with between(number, lambda: taken.append(ingestion.ingest(submission(key=key)))):
        taken.append(ingestion.ingest(submission(key=key)))
    assert len({record.key for record, _ in taken}) == 1
    assert_one_item(stand)


@pytest.mark.parametrize("number", range(1, 4), ids=INGESTION)
def test_of_two_items_with_one_key_at_once_one_is_refused(stand: Stand, number: int) -> None:
    ingestion = the_ingestion()
    refused: list[str] = []

    def other() -> None:
        with pytest.raises(ProblemError) as caught:
            ingestion.ingest(submission({**ITEM, "type": "refund"}, "order-1"))
        refused.append(caught.value.type.name)

    with between(number, other):
        ingestion.ingest(submission(key="order-1"))
    assert refused == ["idempotency-key-reused"]
    assert_one_item(stand)


@KEYS
def test_many_equal_requests_at_once_are_one(stand: Stand, key: str | None) -> None:
    ingestion, start = the_ingestion(), threading.Barrier(8)

    def accept(_: int) -> tuple[ItemRecord, bool]:
        start.wait(60)
        return ingestion.ingest(submission(key=key))

    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(accept, range(8)))
    assert len({record.key for record, _ in taken}) == 1
    assert_one_item(stand)


def assert_one_item(stand: Stand) -> None:
    """One object, one record, and, once all messages are processed, one result."""
    (name,) = stand.objects("incoming/")
    assert stand.versions(name) == 1
    while stand.depth(stand.queue_url):
        deliver(stand)
    assert the_status(stand) == "processed"
    (name,) = stand.objects("processed/")
    assert stand.versions(name) == 1
    assert stand.depth(stand.dead_letter_url) == 0
