from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import api_handler.app
from api_handler import app
from tests.lambdas.calls import call_api, context, http_event, post
from tests.lambdas.faults import DENIED, failing_on
from tests.lambdas.json_values import json_values

if TYPE_CHECKING:
    from tests.lambdas.stand import Stand

Log = Callable[[], list[dict[str, Any]]]

pytestmark = [pytest.mark.emulator, pytest.mark.usefixtures("stand")]

HEALTHY = {"table": "ok", "bucket": "ok", "queue": "ok"}


@pytest.mark.parametrize("event", [{"test": "integration"}, {}, {"anything": [1]}])
def test_a_bare_object_asks_for_the_state(event: dict[str, Any]) -> None:
    reply = call_api(event)
    assert (reply.status, reply.body) == (200, {"status": "ok", "dependencies": HEALTHY})


@pytest.mark.parametrize(
    ("operation", "dependency"),
    [("Query", "table"), ("HeadBucket", "bucket"), ("GetQueueAttributes", "queue")],
)
@pytest.mark.parametrize(
    "event", [{"test": "integration"}, http_event("GET", "/health")], ids=["bare", "HTTP"]
)
def test_the_dependency_that_fails_is_named(event: dict[str, Any], operation: str, dependency: str) -> None:
    with failing_on(DENIED, operation):
        reply = call_api(event)
    assert (reply.status, reply.body["type"]) == (503, "urn:tap:problem:unavailable")
    assert reply.body["dependencies"] == {**HEALTHY, dependency: "unavailable"}


def test_health() -> None:
    reply = call_api(http_event("GET", "/health"))
    assert (reply.status, reply.body) == (200, {"status": "ok", "dependencies": HEALTHY})
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("event", [None, 1, "text", [], [{"test": "integration"}]])
def test_an_event_that_is_no_object_is_refused(event: object) -> None:
    assert call_api(event).status == 400


FLAWED: dict[str, Any] = {
    "payload format 1.0": {"httpMethod": "GET", "path": "/health", "requestContext": {}},
    "context no object": {"requestContext": "http"},
    "no http": {"requestContext": {}, "rawPath": "/health"},
    "http no object": {"requestContext": {"http": 1}, "rawPath": "/health"},
    "no path": {"requestContext": {"http": {"method": "GET"}}},
    "body no text": http_event("POST", "/items") | {"body": {"type": "order"}},
    "headers no object": http_event("GET", "/health") | {"headers": []},
    "header no text": http_event("GET", "/health") | {"headers": {"a": 1}},
    "query no text": http_event("GET", "/items") | {"queryStringParameters": {"limit": 1}},
}


@pytest.mark.parametrize("event", FLAWED.values(), ids=FLAWED.keys())
def test_a_flawed_http_event_is_refused(event: object) -> None:
    reply = call_api(event)
    assert (reply.status, reply.body["type"]) == (400, "urn:tap:problem:malformed-request")
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["x-correlation-id"] == reply.body["correlationId"]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries(
        {"requestContext": json_values(5) | st.fixed_dictionaries({"http": json_values(5)})},
        optional={name: json_values(5) for name in ("rawPath", "headers", "queryStringParameters", "body")},
    )
)
def test_any_http_event_is_answered(event: dict[str, Any]) -> None:
    assert call_api(event).status < 500


@pytest.mark.parametrize("name", ["headers", "queryStringParameters", "body"])
def test_absent_parts_may_be_null(name: str) -> None:
    assert call_api(http_event("GET", "/health") | {name: None}).status == 200


def test_records_are_refused_so_that_their_source_keeps_them() -> None:
    with pytest.raises(api_handler.app.WrongSourceError, match="Map their source to the processor"):
        api_handler.app.handler({"Records": []}, context())


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/items", "GET, POST"),
        ("PUT", "/items/" + "0" * 32, "GET"),
        ("POST", "/health", "GET"),
        ("OPTIONS", "/items", "GET, POST"),
        ("get", "/health", None),
    ],
)
def test_methods(method: str, path: str, allow: str | None) -> None:
    reply = call_api(http_event(method, path))
    assert (reply.status, reply.headers.get("allow")) == ((405, allow) if allow else (200, None))


@pytest.mark.parametrize("path", ["/", "", "/item", "/items/", "/items/a/b", "/Health", "//items"])
def test_unknown_paths(path: str) -> None:
    reply = call_api(http_event("GET", path))
    assert (reply.status, reply.body["type"]) == (404, "urn:tap:problem:not-found")


def test_a_named_stage_is_no_part_of_the_path() -> None:
    event = http_event("GET", "/v1/health")
    event["requestContext"]["stage"] = "v1"
    assert call_api(event).status == 200


@pytest.mark.parametrize("sent", ["", "a b", "é", "x" * 129, "a\r\nSet-Cookie: b"])
def test_an_unusable_correlation_id_is_replaced(sent: str) -> None:
    reply = call_api(http_event("GET", "/health", headers={"X-Correlation-Id": sent}))
    assert reply.status == 200
    assert len(reply.headers["x-correlation-id"]) == 32


def test_a_defect_of_ours_is_a_500_that_tells_nothing(monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    def broken() -> None:
        raise ValueError("hunter2")

    monkeypatch.setattr(app, "ingestion", broken)
    reply = call_api(post({"type": "order", "payload": {}}))
    assert (reply.status, reply.body["type"]) == (500, "urn:tap:problem:internal")
    assert "hunter2" not in json.dumps([reply.body, log()])
    (line,) = [line for line in log() if line["level"] == "ERROR"]
    assert line["error_type"] == "ValueError"
    assert line["error_at"][-1].startswith("test_invocations.py:")


def test_a_function_without_settings_says_so_in_its_log(
    monkeypatch: pytest.MonkeyPatch, log: Log, stand: Stand
) -> None:
    monkeypatch.delenv("TABLE_NAME")
    assert call_api(http_event("GET", "/items/" + "0" * 32)).status == 500
    (line,) = [line for line in log() if line["level"] == "ERROR"]
    assert line["error_detail"].startswith("The function's environment lacks TABLE_NAME,")
    assert stand.rows() == []
