"""The time that an invocation has: what is begun, what is released, and what that counts as."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import processor.app
from tests.lambdas.calls import call_api, call_processor, deliver, post, receive
from tests.lambdas.faults import THROTTLED, failing_on, recorded

if TYPE_CHECKING:
    from tests.lambdas.stand import Stand

pytestmark = pytest.mark.emulator


def accept(stand: Stand, number: int) -> list[dict[str, object]]:
    """Ingest items; the batch that Lambda's poller makes of them."""
    for each in range(number):
        call_api(post({"type": "order", "payload": {"n": each}}))
    records = receive(stand)
    assert len(records) == number
    return records


def statuses(stand: Stand) -> list[str]:
    return sorted(row["status"]["S"] for row in stand.rows())


def test_no_item_is_begun_in_the_last_fifth_of_the_time(stand: Stand) -> None:
    records = accept(stand, 3)
    with recorded() as calls:
        response = call_processor({"Records": records}, 300_000, 299_000, 60_000, 59_999)
    assert response == {"batchItemFailures": [{"itemIdentifier": records[2]["messageId"]}]}
    assert [call.operation for call in calls][-2:] == ["UpdateItem", "ChangeMessageVisibility"]
    # What took the time needs some to pass; each delivery that is for nothing is one of five.
    assert 5 <= calls[-1].params["VisibilityTimeout"] <= 10
    assert statuses(stand) == ["accepted", "processed", "processed"]
    (row,) = [row for row in stand.rows() if row["status"]["S"] == "accepted"]
    assert row["reason"] == {"S": "Attempt not begun: the invocation was about to end."}


@pytest.mark.parametrize("timeout", [3_000, 30_000, 59_999])
def test_a_function_with_little_time_works_nevertheless(stand: Stand, timeout: int) -> None:
    records = accept(stand, 2)
    assert call_processor({"Records": records}, timeout) == {"batchItemFailures": []}
    assert statuses(stand) == ["processed", "processed"]


def test_what_a_failing_dependency_held_up_fails_the_invocation_with_it(stand: Stand) -> None:
    records = accept(stand, 2)
    with failing_on(THROTTLED, "GetObject"), pytest.raises(processor.app.DependencyError):
        call_processor({"Records": records}, 300_000, 300_000, 1_000)


def test_a_batch_that_only_ran_out_of_time_does_not_fail_as_a_whole(stand: Stand) -> None:
    records = accept(stand, 2)
    assert len(call_processor({"Records": records}, 300_000, 1_000)["batchItemFailures"]) == 2
    for record in records:
        stand.sqs.change_message_visibility(
            QueueUrl=stand.queue_url, ReceiptHandle=str(record["receiptHandle"]), VisibilityTimeout=0
        )
    assert deliver(stand) == (2, 0)
    assert statuses(stand) == ["processed", "processed"]
