"""The crash matrix: the process ends after each of its AWS calls, and everything is delivered again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from processor.delivery import LOST
from tests.lambdas.calls import call_api, call_processor, deliver, post, receive
from tests.lambdas.conftest import forget_wiring
from tests.lambdas.faults import THROTTLED, KilledError, failing_on, killed_after
from tests.lambdas.stand import MAX_RECEIVE_COUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lambdas.stand import Stand

pytestmark = pytest.mark.emulator

ROOT = Path(__file__).parent.parent.parent
ITEM = {"type": "order", "payload": {"n": 1}}
INGESTION = ["PutObject", "PutItem", "SendMessage"]
PROCESSING = ["GetItem", "GetObject", "PutObject", "UpdateItem"]
AFTER_A_RESULT = ["GetItem", "GetObject", "PutObject", "HeadObject", "UpdateItem"]
REJECTING = ["GetItem", "GetObject", "UpdateItem", "ChangeMessageVisibility"]
POSTPONING = REJECTING


def crash(stand: Stand, number: int) -> list[str]:
    """Deliver, and end the process after the n-th call; the message is visible again afterwards."""
    records = receive(stand)
    with killed_after(number) as done, pytest.raises(KilledError):
        call_processor({"Records": records})
    for record in records:
        stand.sqs.change_message_visibility(
            QueueUrl=stand.queue_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
        )
    forget_wiring()
    return done


@pytest.fixture(scope="module")
def processes() -> Iterator[subprocess.Popen[str]]:
    """Starts processes that the kernel ends, as killed_process.py says."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.lambdas.killed_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "lambdas:."},
        cwd=ROOT,
        text=True,
    ) as running:
        yield running


def kill(stand: Stand, number: int, processes: subprocess.Popen[str]) -> int:
    """Deliver to a process of its own that the kernel ends after the n-th call; returns its exit code."""
    assert processes.stdin
    assert processes.stdout
    records = receive(stand)
    order = {"number": number, "event": {"Records": records}, "environment": stand.environment}
    print(json.dumps(order), file=processes.stdin, flush=True)
    code = int(processes.stdout.readline())
    for record in records:
        stand.sqs.change_message_visibility(
            QueueUrl=stand.queue_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
        )
    return code


def drain(stand: Stand) -> None:
    while stand.depth(stand.queue_url):
        deliver(stand)


def assert_processed_once(stand: Stand) -> None:
    (row,) = stand.rows()
    assert row["status"] == {"S": "processed"}
    (name,) = stand.objects("processed/")
    assert stand.versions(name) == 1
    assert json.loads(stand.read(name))["id"] == row["id"]["S"]
    assert stand.depth(stand.queue_url) == 0
    assert stand.depth(stand.dead_letter_url) == 0


@pytest.mark.parametrize("number", range(1, 4), ids=INGESTION)
def test_intake_that_breaks_off_is_completed_by_its_repetition(stand: Stand, number: int) -> None:
    with killed_after(number) as done, pytest.raises(KilledError):
        call_api(post(ITEM))
    assert done == INGESTION[:number]
    forget_wiring()
    assert call_api(post(ITEM)).status == 202
    assert len(stand.rows()) == 1
    assert stand.versions(stand.objects("incoming/")[0]) == 1
    while deliver(stand) != (0, 0):
        pass
    assert_processed_once(stand)


@pytest.mark.parametrize("number", range(1, 5), ids=PROCESSING)
def test_processing_that_breaks_off_leaves_one_result(stand: Stand, number: int) -> None:
    call_api(post(ITEM))
    assert crash(stand, number) == PROCESSING[:number]
    assert deliver(stand) == (1, 0)
    assert_processed_once(stand)


@pytest.mark.parametrize("number", range(1, 5), ids=PROCESSING)
def test_a_killed_process_leaves_one_result(
    stand: Stand, number: int, processes: subprocess.Popen[str]
) -> None:
    call_api(post(ITEM))
    assert kill(stand, number, processes) == -signal.SIGKILL
    assert deliver(stand) == (1, 0)
    assert_processed_once(stand)


# The second delivery first notes that the one before ended unseen.
SECOND = {
    first: ["UpdateItem", *calls]
    for first, calls in {1: PROCESSING, 2: PROCESSING, 3: AFTER_A_RESULT, 4: ["GetItem"]}.items()
}
PAIRS = [(first, second) for first, calls in SECOND.items() for second in range(1, len(calls) + 1)]


@pytest.mark.uncounted
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_processing_that_breaks_off_twice_leaves_one_result(stand: Stand, first: int, second: int) -> None:
    call_api(post(ITEM))
    crash(stand, first)
    assert crash(stand, second) == SECOND[first][:second]
    assert deliver(stand) == (1, 0)
    assert_processed_once(stand)


@pytest.mark.parametrize("number", range(1, 5), ids=REJECTING)
def test_rejecting_that_breaks_off_loses_neither_message_nor_reason(stand: Stand, number: int) -> None:
    call_api(post(ITEM))
    stand.s3.delete_object(Bucket=stand.bucket, Key=stand.objects("incoming/")[0])
    assert crash(stand, number) == REJECTING[:number]
    drain(stand)
    (row,) = stand.rows()
    assert row["status"] == {"S": "rejected"}
    assert row["reason"] == {"S": "The item's object is missing from the bucket."}
    assert stand.depth(stand.dead_letter_url) == 1


@pytest.mark.parametrize("number", range(1, 4), ids=PROCESSING[:3])
def test_an_item_that_ends_each_process_is_given_up_with_a_reason(stand: Stand, number: int) -> None:
    call_api(post(ITEM))
    crash(stand, number)
    for _ in range(MAX_RECEIVE_COUNT - 1):
        crash(stand, number + 1)
    assert receive(stand) == []
    assert stand.depth(stand.dead_letter_url) == 1
    (row,) = stand.rows()
    assert (row["status"], row["attempts"]) == ({"S": "accepted"}, {"N": str(MAX_RECEIVE_COUNT - 1)})
    assert row["reason"] == {"S": LOST}


def test_a_lost_attempt_does_not_hide_the_reason_of_another(stand: Stand) -> None:
    call_api(post(ITEM))
    with failing_on(THROTTLED, "GetObject"):
        crash(stand, 4)
    before = stand.rows()
    crash(stand, 1)
    assert stand.rows() == before
    assert deliver(stand) == (1, 0)
    assert_processed_once(stand)
    assert "reason" not in stand.rows()[0]


@pytest.mark.parametrize("number", range(1, 3), ids=["PutItem", "ChangeMessageVisibility"])
def test_a_foreign_message_whose_rejecting_breaks_off_keeps_its_reason(stand: Stand, number: int) -> None:
    stand.sqs.send_message(QueueUrl=stand.queue_url, MessageBody="foreign")
    assert crash(stand, number) == ["PutItem", "ChangeMessageVisibility"][:number]
    # The second delivery finds the record of the first.
    assert crash(stand, 2) == ["PutItem", "UpdateItem"]
    drain(stand)
    (row,) = stand.rows()
    assert (row["status"], row["attempts"]) == ({"S": "rejected"}, {"N": str(MAX_RECEIVE_COUNT)})
    assert row["reason"]["S"].startswith("The message is not one of ours: ")
    assert stand.depth(stand.dead_letter_url) == 1


@pytest.mark.parametrize("number", range(1, 5), ids=POSTPONING)
def test_postponing_that_breaks_off_is_made_good(stand: Stand, number: int) -> None:
    call_api(post(ITEM))
    with failing_on(THROTTLED, "GetObject"):
        assert crash(stand, number) == POSTPONING[:number]
    assert deliver(stand) == (1, 0)
    assert_processed_once(stand)
    assert "reason" not in stand.rows()[0]


@pytest.mark.parametrize("number", range(1, 13))
def test_a_batch_that_breaks_off_is_done_whole_and_each_item_once(stand: Stand, number: int) -> None:
    for each in range(3):
        call_api(post({**ITEM, "payload": {"n": each}}))
    crash(stand, number)
    drain(stand)
    assert [row["status"]["S"] for row in stand.rows()] == ["processed"] * 3
    results = stand.objects("processed/")
    assert len(results) == 3
    assert {stand.versions(name) for name in results} == {1}
    assert stand.depth(stand.dead_letter_url) == 0
