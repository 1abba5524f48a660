"""The way back from the dead letter queue that the guide describes."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from tap_items.record import ItemKey
from tap_items.work_queue import encode_message
from tests.lambdas.calls import call_api, deliver, post
from tests.lambdas.stand import MAX_RECEIVE_COUNT
from tests.lambdas.test_contract import GUIDE

if TYPE_CHECKING:
    from tests.lambdas.stand import Stand

ITEM = {"type": "order", "payload": {"n": 1}}


def commands() -> list[tuple[str, dict[str, str]]]:
    """The guide's AWS CLI commands on queues: operation and parameters."""
    text = GUIDE.read_text("utf-8").replace('"$QUEUE"', "arn:aws:sqs:eu-west-2:123456789012:tap-dlq-dev")
    text = text.replace(
        '"$FAILED_EVENTS_URL"', "https://sqs.eu-west-2.amazonaws.com/123456789012/tap-failed-events-dev"
    )
    found: list[tuple[str, dict[str, str]]] = []
    for line in re.findall(r"^aws sqs (.+)$", text, re.MULTILINE):
        name, *options = shlex.split(line)
        named = zip(options[::2], options[1::2], strict=True)
        parameters = {_camel(option.removeprefix("--")): value for option, value in named}
        found.append((_camel(name), parameters))
    return found


def _camel(dashed: str) -> str:
    return "".join(part.capitalize() for part in dashed.split("-"))


def test_the_guides_commands_are_ones_that_aws_has() -> None:
    service: Any = botocore.session.get_session().get_service_model("sqs")
    names = [name for name, _ in commands()]
    assert names == ["StartMessageMoveTask", "ListMessageMoveTasks", "ReceiveMessage"]
    for name, parameters in commands():
        shape = service.operation_model(name).input_shape
        typed = {
            key: int(value) if shape.members[key].type_name == "integer" else value
            for key, value in parameters.items()
        }
        report: Any = ParamValidator().validate(typed, shape)
        assert not report.has_errors(), report.generate_report()


def move_back(stand: Stand) -> int:
    """What a message move task does: each dead letter becomes a new message on the work queue.

    The emulator has no StartMessageMoveTask; AWS documents it as this: moved messages are new ones, with an
    id, a receive count and an enqueue time of their own, and keep body and attributes.
    """
    moved = 0
    while True:
        answer = stand.sqs.receive_message(
            QueueUrl=stand.dead_letter_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        if not answer.get("Messages"):
            return moved
        for message in answer.get("Messages", []):
            stand.sqs.send_message(
                QueueUrl=stand.queue_url,
                MessageBody=message.get("Body", ""),
                MessageAttributes=message.get("MessageAttributes", {}),  # pyright: ignore[reportArgumentType]
            )
            receipt = message.get("ReceiptHandle", "")
            stand.sqs.delete_message(QueueUrl=stand.dead_letter_url, ReceiptHandle=receipt)
            moved += 1


def drain(stand: Stand) -> None:
    while stand.depth(stand.queue_url):
        deliver(stand)


@pytest.mark.emulator
def test_a_repaired_item_comes_back_and_is_processed(stand: Stand) -> None:
    call_api(post(ITEM, X_Correlation_Id="mine"))
    (name,) = stand.objects("incoming/")
    content = stand.read(name)
    stand.s3.delete_object(Bucket=stand.bucket, Key=name)
    drain(stand)
    assert stand.depth(stand.dead_letter_url) == 1
    (row,) = stand.rows()
    assert (row["status"], row["attempts"]) == ({"S": "rejected"}, {"N": str(MAX_RECEIVE_COUNT)})

    stand.s3.put_object(Bucket=stand.bucket, Key=name, Body=content)
    assert move_back(stand) == 1
    drain(stand)
    (row,) = stand.rows()
    assert row["status"] == {"S": "processed"}
    assert "reason" not in row
    assert stand.depth(stand.dead_letter_url) == 0
    assert len(stand.objects("processed/")) == 1


@pytest.mark.emulator
def test_an_item_that_is_still_poison_comes_back_with_its_reason(stand: Stand) -> None:
    call_api(post(ITEM))
    stand.s3.delete_object(Bucket=stand.bucket, Key=stand.objects("incoming/")[0])
    drain(stand)
    assert move_back(stand) == 1
    drain(stand)
    assert stand.depth(stand.dead_letter_url) == 1
    (row,) = stand.rows()
    assert row["reason"] == {"S": "The item's object is missing from the bucket."}


@pytest.mark.emulator
def test_an_item_that_was_processed_meanwhile_is_left_as_it_is(stand: Stand) -> None:
    call_api(post(ITEM))
    call_api(post(ITEM))
    drain(stand)
    before = stand.rows()
    body = encode_message(ItemKey(before[0]["id"]["S"], int(before[0]["timestamp"]["N"])))
    stand.sqs.send_message(QueueUrl=stand.dead_letter_url, MessageBody=body)
    assert move_back(stand) == 1
    drain(stand)
    assert stand.rows() == before
    assert stand.depth(stand.dead_letter_url) == 0
