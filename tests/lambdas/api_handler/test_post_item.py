from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tap_items.item import MAX_BODY_BYTES, sha256_hex
from tests.lambdas.calls import call_api, http_event, post
from tests.lambdas.faults import DENIED, SLOW_DOWN, THROTTLED, Fault, failing, failing_on, recorded

if TYPE_CHECKING:
    from tests.lambdas.stand import Stand

pytestmark = pytest.mark.emulator

ORDER = {"type": "order", "source": "web", "tags": ["new"], "payload": {"lines": [1, 2], "secret": "hunter2"}}


def test_an_item_is_stored_recorded_and_queued(stand: Stand) -> None:
    before = time.time_ns() // 1_000_000
    event = post(ORDER, X_Correlation_Id="trace-me")
    reply = call_api(event)
    assert reply.status == 202
    item_id, timestamp = reply.body["id"], reply.body["timestamp"]
    assert before <= timestamp <= time.time_ns() // 1_000_000
    assert reply.headers["location"] == f"/items/{item_id}"
    assert reply.headers["idempotent-replayed"] == "false"
    assert reply.headers["x-correlation-id"] == "trace-me"

    sent = event["body"].encode()
    assert stand.objects("") == [f"incoming/{item_id}.json"]
    assert stand.read(f"incoming/{item_id}.json") == sent
    head = stand.s3.head_object(Bucket=stand.bucket, Key=f"incoming/{item_id}.json")
    assert head["ServerSideEncryption"] == "aws:kms"
    assert head.get("SSEKMSKeyId") == stand.key_arn
    assert head["ContentType"] == "application/json"

    assert stand.rows() == [
        {
            "id": {"S": item_id},
            "timestamp": {"N": str(timestamp)},
            "status": {"S": "accepted"},
            "checksum": {"S": sha256_hex(sent)},
            "size": {"N": str(len(sent))},
            "data": {"M": {"type": {"S": "order"}, "source": {"S": "web"}, "tags": {"L": [{"S": "new"}]}}},
            "correlationId": {"S": "trace-me"},
            "updatedAt": {"N": str(timestamp)},
            "attempts": {"N": "0"},
        }
    ]
    message = _only_message(stand)
    assert json.loads(message["Body"]) == {"version": 1, "id": item_id, "timestamp": timestamp}
    assert message["MessageAttributes"]["correlationId"]["StringValue"] == "trace-me"


@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "order-1"}], ids=["by content", "by key"])
def test_a_repeated_request_is_one_request(stand: Stand, headers: dict[str, str]) -> None:
    first = call_api(post(ORDER, **headers))
    again = call_api(post({**ORDER, "payload": dict(reversed(ORDER["payload"].items()))}, **headers))  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]
    assert (first.status, again.status) == (202, 202)
    assert again.body == first.body
    assert (first.headers["idempotent-replayed"], again.headers["idempotent-replayed"]) == ("false", "true")
    assert len(stand.rows()) == 1
    assert len(stand.objects("")) == 1
    assert stand.versions(stand.objects("")[0]) == 1


def test_equal_content_under_two_keys_is_two_items(stand: Stand) -> None:
    ids = {
        call_api(post(ORDER, Idempotency_Key="one")).body["id"],
        call_api(post(ORDER, Idempotency_Key="two")).body["id"],
        call_api(post(ORDER)).body["id"],
        call_api({**post(ORDER, Idempotency_Key="one"), "requestContext": _of_user("AROAOTHER:s")}).body[
            "id"
        ],
    }
    assert len(ids) == 4
    assert len(stand.rows()) == 4


def test_sessions_of_one_role_share_their_keys(stand: Stand) -> None:
    event = post(ORDER, Idempotency_Key="one")
    ids = [
        call_api({**event, "requestContext": _of_user(user)}).body["id"]
        for user in ("AROA1:here", "AROA1:there")
    ]
    assert ids[0] == ids[1]
    assert len(stand.rows()) == 1


def test_a_key_that_comes_with_another_item_is_refused(stand: Stand) -> None:
    call_api(post(ORDER, Idempotency_Key="one"))
    reply = call_api(post({**ORDER, "type": "refund"}, Idempotency_Key="one"))
    assert (reply.status, reply.body["type"]) == (422, "urn:tap:problem:idempotency-key-reused")
    assert len(stand.rows()) == 1


def test_a_processed_item_is_not_queued_again(stand: Stand) -> None:
    call_api(post(ORDER))
    row = stand.rows()[0]
    stand.dynamodb.put_item(TableName=stand.table, Item={**row, "status": {"S": "processed"}})
    _only_message(stand)
    reply = call_api(post(ORDER))
    assert (reply.status, reply.body["status"]) == (202, "processed")
    assert stand.sqs.receive_message(QueueUrl=stand.queue_url).get("Messages", []) == []


BAD: dict[str, tuple[dict[str, Any], int, str]] = {
    "malformed": (post(ORDER) | {"body": "{"}, 400, "malformed-request"),
    "empty": (post(ORDER) | {"body": ""}, 400, "malformed-request"),
    "no body": (
        http_event("POST", "/items", headers={"content-type": "application/json"}),
        400,
        "malformed-request",
    ),
    "name twice": (post(ORDER) | {"body": '{"type":"a","type":"b"}'}, 400, "malformed-request"),
    "lone surrogate": (post(ORDER) | {"body": '{"type":"\ud800"}'}, 400, "malformed-request"),
    "escaped surrogate": (post(ORDER) | {"body": '{"type":"\\ud800"}'}, 400, "malformed-request"),
    "deep": (post(ORDER) | {"body": "[" * 90_000}, 400, "malformed-request"),
    "not base64": (post(ORDER) | {"body": "*", "isBase64Encoded": True}, 400, "malformed-request"),
    "non-ascii base64": (post(ORDER) | {"body": "é", "isBase64Encoded": True}, 400, "malformed-request"),
    "too large": (post({**ORDER, "payload": {"a": "x" * MAX_BODY_BYTES}}), 413, "too-large"),
    "no content type": (http_event("POST", "/items", body="{}"), 415, "unsupported-media-type"),
    "form": (post(ORDER, Content_Type="application/x-www-form-urlencoded"), 415, "unsupported-media-type"),
    "other charset": (
        post(ORDER, Content_Type="application/json; charset=latin-1"),
        415,
        "unsupported-media-type",
    ),
    "compressed": (post(ORDER, Content_Encoding="gzip"), 415, "unsupported-media-type"),
    "no item": (post([1]), 422, "invalid-item"),
    "unknown member": (post({**ORDER, "colour": 1}), 422, "invalid-item"),
    "wrong type": (post({**ORDER, "payload": "text"}), 422, "invalid-item"),
    "empty key": (post(ORDER, Idempotency_Key=""), 400, "invalid-parameter"),
    "key too long": (post(ORDER, Idempotency_Key="k" * 129), 400, "invalid-parameter"),
    "key with a blank": (post(ORDER, Idempotency_Key="a b"), 400, "invalid-parameter"),
}


@pytest.mark.parametrize(("event", "status", "kind"), BAD.values(), ids=BAD.keys())
def test_bad_requests_are_refused_and_leave_nothing(
    stand: Stand, event: dict[str, Any], status: int, kind: str
) -> None:
    with recorded() as calls:
        reply = call_api(event)
    assert (reply.status, reply.body["status"], reply.body["type"]) == (
        status,
        status,
        f"urn:tap:problem:{kind}",
    )
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.body["correlationId"] == reply.headers["x-correlation-id"]
    assert calls == []
    assert stand.rows() == []


def test_violations_are_all_listed(stand: Stand) -> None:
    reply = call_api(post({"type": "ORDER", "payload": [], "tags": [1]}))
    assert reply.body["errors"] == [
        {"pointer": "/type", "detail": "must match ^[a-z][a-z0-9.-]{0,63}$"},
        {"pointer": "/payload", "detail": "must be an object"},
        {"pointer": "/tags/0", "detail": "must be a string"},
    ]
    assert stand.rows() == []


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(ORDER),
        json.dumps(ORDER).encode(),
        json.dumps({**ORDER, "payload": {"名": "é😀\x00"}}).encode(),
    ],
    ids=["text", "base64", "unicode"],
)
@pytest.mark.parametrize("content_type", ["application/json", 'Application/JSON ; charset="UTF-8"'])
def test_forms_of_a_good_request(stand: Stand, body: bytes | str, content_type: str) -> None:
    reply = call_api(http_event("POST", "/items", body=body, headers={"Content-Type": content_type}))
    assert reply.status == 202
    assert len(stand.rows()) == 1


def test_the_largest_item_is_accepted(stand: Stand) -> None:
    item = {"type": "a", "payload": {"a": ""}}
    room = MAX_BODY_BYTES - len(json.dumps(item))
    assert call_api(post({"type": "a", "payload": {"a": "x" * room}})).status == 202
    assert call_api(post({"type": "a", "payload": {"a": "x" * (room + 1)}})).status == 413
    assert len(stand.rows()) == 1


@pytest.mark.parametrize("operation", ["PutObject", "PutItem", "SendMessage"])
@pytest.mark.parametrize("fault", [THROTTLED, SLOW_DOWN, DENIED])
def test_a_failing_dependency_promises_nothing_and_a_repetition_completes(
    stand: Stand, operation: str, fault: Fault
) -> None:
    with failing_on(fault, operation):
        reply = call_api(post(ORDER))
    assert (reply.status, reply.body["type"]) == (503, "urn:tap:problem:unavailable")
    assert reply.headers["retry-after"] == "2"
    assert "injected" not in json.dumps(reply.body)
    assert call_api(post(ORDER)).status == 202
    assert len(stand.rows()) == 1
    assert stand.versions(stand.objects("")[0]) == 1
    _only_message(stand)


def test_a_conflicting_upload_is_asked_again(stand: Stand) -> None:
    answers = iter([Fault(409, "ConditionalRequestConflict"), None, None, None])
    with failing(lambda _: next(answers)):
        assert call_api(post(ORDER)).status == 202
    assert len(stand.rows()) == 1


def test_an_upload_that_stays_in_conflict_is_unavailable(stand: Stand) -> None:
    with failing_on(Fault(409, "ConditionalRequestConflict"), "PutObject"):
        assert call_api(post(ORDER)).status == 503
    assert stand.rows() == []


@pytest.mark.usefixtures("stand")
def test_an_object_that_goes_away_between_two_calls_is_unavailable() -> None:
    call_api(post(ORDER))
    with failing_on(Fault(404, "404"), "HeadObject"):
        assert call_api(post(ORDER)).status == 503


@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "order-1"}], ids=["by content", "by key"])
def test_an_object_that_was_put_back_by_hand_is_known_by_its_record(
    stand: Stand, headers: dict[str, str]
) -> None:
    first = call_api(post(ORDER, **headers))
    (name,) = stand.objects("")
    stand.s3.put_object(Bucket=stand.bucket, Key=name, Body=stand.read(name))
    again = call_api(post(ORDER, **headers))
    assert (again.status, again.body) == (202, first.body)
    assert again.headers["idempotent-replayed"] == "true"
    if headers:
        other = call_api(post({**ORDER, "type": "refund"}, **headers))
        assert (other.status, other.body["type"]) == (422, "urn:tap:problem:idempotency-key-reused")
    (row,) = stand.rows()
    stand.dynamodb.delete_item(TableName=stand.table, Key={key: row[key] for key in ("id", "timestamp")})
    assert call_api(post(ORDER, **headers)).status == 503
    assert stand.rows() == []


def _only_message(stand: Stand) -> dict[str, Any]:
    answer = stand.sqs.receive_message(
        QueueUrl=stand.queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    (message,) = answer.get("Messages", [])
    return dict(message)


def _of_user(user: str) -> dict[str, Any]:
    return http_event("POST", "/items", user=user)["requestContext"]
