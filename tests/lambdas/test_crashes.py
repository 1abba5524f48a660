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

from tests.lambdas.calls import call_api, call_processor, deliver, post, receive
from tests.lambdas.conftest import forget_wiring
from tests.lambdas.faults import KilledError, killed_after

if TYPE_CHECKING:
    from tests.lambdas.stand import Stand

pytestmark = pytest.mark.emulator

ROOT = Path(__file__).parent.parent.parent
ITEM = {"type": "order", "payload": {"n": 1}}
INTAKE = ["PutObject", "PutItem", "SendMessage"]
PROCESSING = ["GetItem", "GetObject", "PutObject", "UpdateItem"]
AFTER_A_RESULT = ["GetItem", "GetObject", "PutObject", "HeadObject", "UpdateItem"]
REJECTING = ["GetItem", "GetObject", "UpdateItem", "ChangeMessageVisibility"]


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


def kill(stand: Stand, number: int) -> int:
    """Deliver to a process of its own that the kernel ends after the n-th call; returns its exit code."""
    records = receive(stand)
    done = subprocess.run(
        [sys.executable, "-m", "tests.lambdas.killed_process", str(number)],
        input=json.dumps({"Records": records}),
        env={**os.environ, "PYTHONPATH": "lambdas:."},
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
    )
    for record in records:
        stand.sqs.change_message_visibility(
            QueueUrl=stand.queue_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
        )
    return done.returncode


def assert_processed_once(stand: Stand) -> None:
    (row,) = stand.rows()
    assert row["status"] == {"S": "processed"}
    (name,) = stand.objects("processed/")
    assert stand.versions(name) == 1
    assert json.loads(stand.read(name))["id"] == row["id"]["S"]
    assert stand.depth(stand.queue_url) == 0
    assert stand.depth(stand.dead_letter_url) == 0


@pytest.mark.parametrize("number", range(1, 4), ids=INTAKE)
def test_intake_that_breaks_off_is_completed_by_its_repetition(stand: Stand, number: int) -> None:
    with killed_after(number) as done, pytest.raises(KilledError):
        call_api(post(ITEM))
    assert done == INTAKE[:number]
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
def test_a_killed_process_leaves_one_result(stand: Stand, number: int) -> None:
    call_api(post(ITEM))
    assert kill(stand, number) == -signal.SIGKILL
    assert deliver(stand) == (1, 0)
    assert_processed_once(stand)


PAIRS = [(first, second) for first in range(1, 5) for second in range(1, 6)]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_processing_that_breaks_off_twice_leaves_one_result(stand: Stand, first: int, second: int) -> None:
    call_api(post(ITEM))
    crash(stand, first)
    expected = {1: PROCESSING, 2: PROCESSING, 3: AFTER_A_RESULT, 4: ["GetItem"]}[first]
    if second <= len(expected):
        assert crash(stand, second) == expected[:second]
    assert deliver(stand) == (1, 0)
    assert_processed_once(stand)


@pytest.mark.parametrize("number", range(1, 5), ids=REJECTING)
def test_rejecting_that_breaks_off_loses_neither_message_nor_reason(stand: Stand, number: int) -> None:
    call_api(post(ITEM))
    stand.s3.delete_object(Bucket=stand.bucket, Key=stand.objects("incoming/")[0])
    assert crash(stand, number) == REJECTING[:number]
    while stand.depth(stand.queue_url):
        deliver(stand)
    (row,) = stand.rows()
    assert row["status"] == {"S": "rejected"}
    assert row["reason"] == {"S": "The item's object is missing from the bucket."}
    assert stand.depth(stand.dead_letter_url) == 1


def test_two_processors_at_once_leave_one_result(stand: Stand) -> None:
    call_api(post(ITEM))
    (record,) = receive(stand)
    for number in range(1, 5):
        with killed_after(number), pytest.raises(KilledError):
            call_processor({"Records": [record]})
        if number == 3:
            # Between the two, another processor does all of it.
            assert call_processor({"Records": [record]}) == {"batchItemFailures": []}
            break
    assert call_processor({"Records": [record]}) == {"batchItemFailures": []}
    stand.sqs.delete_message(QueueUrl=stand.queue_url, ReceiptHandle=record["receiptHandle"])
    assert_processed_once(stand)


def test_a_result_of_an_older_transform_is_replaced(stand: Stand) -> None:
    call_api(post(ITEM))
    crash(stand, 3)
    (name,) = stand.objects("processed/")
    stand.s3.put_object(Bucket=stand.bucket, Key=name, Body=b"{}", Metadata={"checksum": "older"})
    assert deliver(stand) == (1, 0)
    assert json.loads(stand.read(name))["form"] == "tap.item.processed/1"
