from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from tap_items import tracing
from tests.lambdas.calls import call_api, deliver, post, receive
from tests.lambdas.daemon import PARENT, SAMPLED, TRACE, Daemon
from tests.lambdas.stand import free_port

if TYPE_CHECKING:
    from tests.lambdas.stand import Stand

ITEM = {"type": "order", "payload": {"secret": "hunter2"}}


@pytest.mark.emulator
def test_each_aws_call_is_a_subsegment(stand: Stand, daemon: Daemon) -> None:
    begun = time.time()
    call_api(post(ITEM))
    documents = daemon.documents()
    *calls, whole = documents
    assert [(call["name"], call["aws"]["operation"]) for call in calls] == [
        ("S3", "PutObject"),
        ("DynamoDB", "PutItem"),
        ("SQS", "SendMessage"),
    ]
    assert (whole["name"], whole["parent_id"]) == ("accept item", PARENT)
    assert {call["parent_id"] for call in calls} == {whole["id"]}
    for document in documents:
        assert document["type"] == "subsegment"
        assert document["trace_id"] == TRACE
        assert re.fullmatch("[0-9a-f]{16}", document["id"])
        assert begun <= document["start_time"] <= document["end_time"] <= time.time()
    assert [call["namespace"] for call in calls] == ["aws"] * 3
    assert [call["aws"]["region"] for call in calls] == ["eu-west-2"] * 3
    assert calls[0]["aws"]["bucket_name"] == stand.bucket
    assert calls[1]["aws"]["table_name"] == stand.table
    assert calls[2]["aws"]["queue_url"] == stand.queue_url
    assert all(call["http"]["response"]["status"] == 200 for call in calls)
    assert all(call["aws"]["retries"] == 0 and call["aws"]["request_id"] for call in calls)
    assert "hunter2" not in str(documents)


@pytest.mark.emulator
def test_the_message_carries_the_trace_on(stand: Stand, daemon: Daemon) -> None:
    call_api(post(ITEM))
    accept = daemon.documents()[-1]
    (record,) = receive(stand)
    assert record["attributes"]["AWSTraceHeader"] == f"Root={TRACE};Parent={accept['id']};Sampled=1"


@pytest.mark.emulator
def test_processing_is_traced_call_by_call(stand: Stand, daemon: Daemon) -> None:
    call_api(post(ITEM))
    daemon.documents()
    deliver(stand)
    names = [document.get("aws", {}).get("operation", document["name"]) for document in daemon.documents()]
    assert names == ["GetItem", "GetObject", "PutObject", "UpdateItem", "process item"]


@pytest.mark.emulator
def test_refused_calls_are_marked(stand: Stand, daemon: Daemon) -> None:
    stand.s3.put_object(Bucket=stand.bucket, Key="any")
    call_api(post(ITEM))
    call_api(post(ITEM))
    again = [each for each in daemon.documents() if each.get("aws", {}).get("operation") == "PutObject"][1]
    assert again["http"]["response"]["status"] == 412
    assert again["error"] is True
    assert "fault" not in again


class Model:
    """What botocore says of an operation, as far as tracing reads it."""

    name = "PutItem"

    class service_model:  # noqa: N801 - botocore's own name
        service_id = "DynamoDB"


class Answer:
    def __init__(self, status: int) -> None:
        self.status_code = status


def call(events: Events, status: int, code: str = "") -> None:
    context: dict[str, Any] = {"client_region": "eu-west-2"}
    events.hooks["before-parameter-build"](params={"TableName": "t"}, model=Model, context=context)
    parsed = {"Error": {"Code": code}, "ResponseMetadata": {"RequestId": "r", "RetryAttempts": 2}}
    events.hooks["after-call"](http_response=Answer(status), parsed=parsed, context=context)


class Events:
    """An event system that keeps what is registered."""

    def __init__(self) -> None:
        self.hooks: dict[str, Any] = {}
        tracing.trace_calls(self)

    def register(self, event_name: str, handler: Any) -> None:  # noqa: ANN401 - botocore's own signature
        self.hooks[event_name] = handler


@pytest.mark.parametrize(
    ("status", "code", "marks"),
    [
        (200, "", set[str]()),
        (400, "ValidationException", {"error"}),
        (400, "ThrottlingException", {"error", "throttle"}),
        (429, "TooManyRequests", {"error", "throttle"}),
        (500, "InternalError", {"fault"}),
        (503, "SlowDown", {"fault"}),
    ],
)
def test_answers_are_marked_by_their_kind(daemon: Daemon, status: int, code: str, marks: set[str]) -> None:
    call(Events(), status, code)
    (document,) = daemon.documents()
    assert {mark for mark in ("error", "fault", "throttle") if document.get(mark)} == marks
    assert document["aws"] == {
        "operation": "PutItem",
        "region": "eu-west-2",
        "table_name": "t",
        "request_id": "r",
        "retries": 2,
    }


def test_a_call_without_an_answer_is_a_fault(daemon: Daemon) -> None:
    events = Events()
    context: dict[str, Any] = {}
    events.hooks["before-parameter-build"](params={}, model=Model, context=context)
    events.hooks["after-call-error"](exception=TimeoutError("hunter2"), context=context)
    (document,) = daemon.documents()
    assert document["fault"] is True
    assert document["cause"]["exceptions"][0]["type"] == "TimeoutError"
    assert "hunter2" not in str(document)


def test_a_step_that_fails_is_a_fault_and_goes_on_failing(daemon: Daemon) -> None:
    with pytest.raises(ValueError, match="hunter2"), tracing.step("work", {"kind": "test"}):
        raise ValueError("hunter2")
    (document,) = daemon.documents()
    assert document["fault"] is True
    assert document["annotations"] == {"kind": "test"}
    assert "hunter2" not in str(document)


def test_steps_nest(daemon: Daemon) -> None:
    with tracing.step("outer"):
        with tracing.step("inner"):
            pass
        header = tracing.trace_header()
    inner, outer = daemon.documents()
    assert inner["parent_id"] == outer["id"]
    assert header == f"Root={TRACE};Parent={outer['id']};Sampled=1"
    assert tracing.trace_header() == f"Root={TRACE};Parent={PARENT};Sampled=1"


UNSAMPLED = f"Root={TRACE};Parent={PARENT};Sampled=0"
UNTRACED = ["", "nonsense", "Root=1", UNSAMPLED, UNSAMPLED.removesuffix(";Sampled=0")]


@pytest.mark.parametrize("header", UNTRACED)
def test_without_a_sampled_trace_nothing_is_sent(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    with tracing.step("work"):
        call(Events(), 200)
        Events().hooks["after-call-error"](exception=ValueError(), context={})
    assert daemon.documents() == []


def test_the_decision_not_to_sample_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", UNSAMPLED)
    assert tracing.trace_header() == UNSAMPLED
    monkeypatch.delenv("_X_AMZN_TRACE_ID")
    assert tracing.trace_header() is None


@pytest.mark.parametrize("address", ["", "nowhere", "host.invalid:2000", "127.0.0.1:x", "127.0.0.1:99999"])
def test_a_daemon_that_cannot_be_reached_hinders_nothing(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", SAMPLED)
    for _ in range(3):
        with tracing.step("work"):
            pass


def test_the_longer_form_of_the_address(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"tcp:127.0.0.1:{free_port()} udp:{daemon.address}")
    with tracing.step("work"):
        pass
    assert [document["name"] for document in daemon.documents()] == ["work"]
