"""Canaries: whatever a client or sender puts anywhere, it is in no log, no metric, no answer, no trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from api_handler import app
from tests.lambdas.calls import call_api, call_processor, deliver, http_event, post, receive
from tests.lambdas.faults import DENIED, THROTTLED, failing_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lambdas.daemon import Daemon
    from tests.lambdas.stand import Stand

    Log = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.emulator

CANARY = "canary-7f3a"
ITEM = {"type": "order", "payload": {CANARY: [CANARY, {"n": 1}]}}
JSON = {"content-type": "application/json"}


def everywhere() -> dict[str, dict[str, Any]]:
    """Requests with the canary in each place that a client fills."""
    flawed_context = http_event("GET", "/health")
    flawed_context["requestContext"]["http"] = {"method": CANARY, "path": CANARY}
    return {
        "payload": post(ITEM),
        "source and tags": post({**ITEM, "source": CANARY, "tags": [CANARY]}),
        "unknown member": post({**ITEM, CANARY: CANARY}),
        "type": post({**ITEM, "type": CANARY.upper()}),
        "payload no object": post({**ITEM, "payload": CANARY}),
        "date": post({**ITEM, "occurredAt": CANARY}),
        "malformed": post(ITEM) | {"body": f'{{"{CANARY}": '},
        "name twice": post(ITEM) | {"body": f'{{"{CANARY}": 1, "{CANARY}": 2}}'},
        "base64": post(ITEM) | {"body": CANARY + "!", "isBase64Encoded": True},
        "content type": post(ITEM, Content_Type=CANARY),
        "idempotency key": post(ITEM, Idempotency_Key=CANARY),
        "bad idempotency key": post(ITEM, Idempotency_Key=CANARY + " "),
        "bad correlation id": post(ITEM, X_Correlation_Id=CANARY + " "),
        "headers": post(ITEM, Authorization=CANARY, Cookie=CANARY, **{CANARY: CANARY}),
        "id": http_event("GET", f"/items/{CANARY}"),
        "path": http_event("GET", f"/{CANARY}/{CANARY}"),
        "query": http_event("GET", "/items", query={CANARY: CANARY}),
        "limit": http_event("GET", "/items", query={"limit": CANARY}),
        "cursor": http_event("GET", "/items", query={"cursor": CANARY}),
        "method": http_event(CANARY, "/items"),
        "context": flawed_context,
        "event": {CANARY: CANARY},
        "no object": [CANARY],  # pyright: ignore[reportReturnType]
    }


@pytest.fixture
def said(stand: Stand, log: Log, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """All that the functions wrote so far, and keep outside of the bucket but for an item's description."""

    def read() -> str:
        kept = [{**row, "data": None} for row in stand.rows()]
        return json.dumps([log(), kept]) + "".join(capsys.readouterr())

    return read


@pytest.mark.parametrize("name", everywhere())
def test_what_a_client_sends_is_told_to_nobody(stand: Stand, said: Callable[[], str], name: str) -> None:
    reply = call_api(everywhere()[name])
    assert reply.status < 500
    told = said()
    assert CANARY not in told.lower()
    assert CANARY not in json.dumps([reply.headers, reply.body]).lower()
    assert name == "event" or '"level"' in told
    assert CANARY not in json.dumps(receive(stand))


def test_neither_is_what_a_sender_puts_on_the_queue(stand: Stand, said: Callable[[], str]) -> None:
    for body in (CANARY, json.dumps({CANARY: CANARY}), json.dumps({"version": CANARY, "id": CANARY})):
        stand.sqs.send_message(
            QueueUrl=stand.queue_url,
            MessageBody=body,
            MessageAttributes={
                "correlationId": {"DataType": "String", "StringValue": f"{CANARY} {CANARY}"},
                CANARY: {"DataType": "String", "StringValue": CANARY},
            },
        )
    assert deliver(stand) == (3, 3)
    told = said()
    assert "Item rejected" in told
    assert CANARY not in told


def test_nor_what_a_direct_invocation_brings(said: Callable[[], str]) -> None:
    for event in ({"id": CANARY, "timestamp": 1}, {"id": "0" * 32, "timestamp": CANARY}, {CANARY: 1}, CANARY):
        assert CANARY not in json.dumps(call_processor(event))
    assert CANARY not in said()


@pytest.mark.parametrize(
    "content", [b'{"canary-7f3a', b'{"type":"CANARY-7F3A","canary-7f3a":1}', b"canary-7f3a"]
)
def test_nor_what_is_in_a_poisoned_object(stand: Stand, said: Callable[[], str], content: bytes) -> None:
    item_id = call_api(post(ITEM)).body["id"]
    stand.s3.put_object(Bucket=stand.bucket, Key=f"incoming/{item_id}.json", Body=content)
    assert deliver(stand) == (1, 1)
    assert CANARY not in said().lower()


@pytest.mark.parametrize("fault", [THROTTLED, DENIED])
def test_nor_what_aws_says_in_an_error(
    stand: Stand,
    said: Callable[[], str],
    fault: Any,  # noqa: ANN401
) -> None:
    call_api(post(ITEM))
    call_api(post({**ITEM, "type": "other"}))
    with failing_on(fault, "GetItem", "PutObject", "UpdateItem", "ChangeMessageVisibility"):
        deliver(stand, 1)
        call_api(post({**ITEM, "type": "third"}))
    told = said()
    assert fault.code in told
    assert "injected" not in told


def test_nor_what_a_defect_says(
    stand: Stand, said: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call_api(post(ITEM))

    def broken(*_: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr("processor.work.transform", broken)
    assert deliver(stand) == (1, 1)
    monkeypatch.setattr(app, "ingestion", broken)
    assert call_api(post(ITEM)).status == 500
    told = said()
    assert told.count("ValueError") >= 2
    assert CANARY not in told


def test_nor_do_traces_tell(stand: Stand, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    for event in everywhere().values():
        call_api(event)
    deliver(stand)

    def broken(*_: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr("processor.work.transform", broken)
    call_api(post({**ITEM, "type": "other"}))
    deliver(stand)
    documents = daemon.documents()
    assert {document["name"] for document in documents} >= {"S3", "DynamoDB", "SQS", "process item"}
    assert any(document.get("fault") for document in documents)
    assert CANARY not in json.dumps(documents).lower()
