from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.lambdas.calls import call_api, call_processor, post
from tests.lambdas.faults import DENIED, THROTTLED, failing_on

if TYPE_CHECKING:
    from tests.lambdas.stand import Stand

pytestmark = pytest.mark.emulator


def invoke(event: object) -> tuple[int, Any]:
    response = call_processor(event)
    return response["statusCode"], json.loads(response["body"])


@pytest.mark.usefixtures("stand")
@pytest.mark.parametrize("event", [{"test": "integration"}, {}, {"anything": None}])
def test_a_bare_object_asks_for_the_state(event: dict[str, Any]) -> None:
    assert invoke(event) == (200, {"status": "ok", "dependencies": {"table": "ok", "bucket": "ok"}})


@pytest.mark.usefixtures("stand")
@pytest.mark.parametrize(("operation", "dependency"), [("GetItem", "table"), ("HeadBucket", "bucket")])
def test_the_dependency_that_fails_is_named(operation: str, dependency: str) -> None:
    with failing_on(DENIED, operation):
        status, body = invoke({"test": "integration"})
    states = {"table": "ok", "bucket": "ok", dependency: "unavailable"}
    assert (status, body) == (503, {"status": "unavailable", "dependencies": states})


def test_an_item_is_processed_now_and_only_once(stand: Stand) -> None:
    item = call_api(post({"type": "order", "payload": {}})).body
    event = {"id": item["id"], "timestamp": item["timestamp"]}
    assert invoke(event) == (200, {"id": item["id"], "outcome": "processed"})
    assert invoke(event) == (200, {"id": item["id"], "outcome": "duplicate"})
    assert stand.versions(f"processed/{item['id']}.json") == 1


@pytest.mark.usefixtures("stand")
@pytest.mark.parametrize(
    "event",
    [
        *({"id": "0" * 32}, {"id": "0" * 32, "timestamp": "1"}, {"id": "0" * 32, "timestamp": True}),
        *(
            {"id": "../x", "timestamp": 1},
            {"id": 1, "timestamp": 1},
            {"id": None, "timestamp": 1},
            None,
            [],
            "x",
        ),
    ],
)
def test_a_bad_invocation_is_refused(event: object) -> None:
    assert invoke(event)[0] == 400


@pytest.mark.usefixtures("stand")
def test_an_unknown_item_is_not_found() -> None:
    assert invoke({"id": "0" * 32, "timestamp": 1})[0] == 404


def test_a_poisonous_item_is_told_and_its_record_left(stand: Stand) -> None:
    item = call_api(post({"type": "order", "payload": {}})).body
    stand.s3.put_object(Bucket=stand.bucket, Key=f"incoming/{item['id']}.json", Body=b"other")
    status, body = invoke({"id": item["id"], "timestamp": item["timestamp"]})
    assert (status, body["id"]) == (422, item["id"])
    assert "checksum" in body["detail"]
    assert stand.rows()[0]["status"] == {"S": "accepted"}


def test_a_failing_dependency_is_unavailable(stand: Stand) -> None:
    item = call_api(post({"type": "order", "payload": {}})).body
    with failing_on(THROTTLED, "GetObject"):
        status, body = invoke({"id": item["id"], "timestamp": item["timestamp"]})
    assert (status, body["detail"]) == (503, "GetObject: ThrottlingException; the item waits as it was.")
    assert stand.objects("processed/") == []
