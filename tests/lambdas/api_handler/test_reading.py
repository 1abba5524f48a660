from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lambdas.calls import call_api, deliver, http_event, post
from tests.lambdas.faults import THROTTLED, failing_on, recorded

if TYPE_CHECKING:
    from tests.lambdas.stand import Stand

pytestmark = pytest.mark.emulator


def get(path: str, **query: str) -> dict[str, Any]:
    return http_event("GET", path, query=query)


def test_an_item_is_told_before_and_after_processing(stand: Stand) -> None:
    accepted = call_api(post({"type": "order", "payload": {"lines": [1, "a"]}})).body
    before = call_api(get(f"/items/{accepted['id']}"))
    assert before.status == 200
    assert {name: before.body[name] for name in accepted} == accepted
    assert before.body["data"] == {"type": "order"}
    assert "result" not in before.body
    deliver(stand)
    after = call_api(get(f"/items/{accepted['id']}")).body
    assert after["status"] == "processed"
    counts = {"objects": 1, "arrays": 1, "strings": 1, "numbers": 1, "booleans": 0, "nulls": 0, "depth": 2}
    assert after["result"] == counts
    assert after["updatedAt"] >= before.body["updatedAt"]


def test_the_youngest_record_of_an_id_is_told(stand: Stand) -> None:
    accepted = call_api(post({"type": "order", "payload": {}})).body
    row = stand.rows()[0]
    later = str(accepted["timestamp"] + 1)
    stand.dynamodb.put_item(TableName=stand.table, Item={**row, "timestamp": {"N": later}})
    assert call_api(get(f"/items/{accepted['id']}")).body["timestamp"] == accepted["timestamp"] + 1


@pytest.mark.usefixtures("stand")
def test_an_unknown_item_is_not_found() -> None:
    reply = call_api(get("/items/" + "0" * 32))
    assert (reply.status, reply.body["type"]) == (404, "urn:tap:problem:not-found")


HOSTILE = [
    *("..", "%2e%2e%2fetc", "0" * 31, "0" * 33, "A" * 32, "0" * 32 + "%0a", "é", "{id}", "' OR 1=1", "*"),
    *('"', "\\", "#", "a?b", "<script>"),
]


@pytest.mark.usefixtures("stand")
@pytest.mark.parametrize("item_id", HOSTILE)
def test_no_id_is_refused_before_any_call(item_id: str) -> None:
    with recorded() as calls:
        reply = call_api(get(f"/items/{item_id}"))
    assert (reply.status, reply.body["type"]) == (400, "urn:tap:problem:invalid-parameter")
    assert calls == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.text(max_size=40), method=st.sampled_from(["GET", "POST", "DELETE", "HEAD", "é", ""]))
def test_any_path_and_method_is_answered(stand: Stand, path: str, method: str) -> None:
    assert call_api(http_event(method, f"/{path}")).status in {200, 400, 404, 405, 415}
    assert stand.rows() == []


def test_pages_hold_every_item_once(stand: Stand) -> None:
    ids = {call_api(post({"type": "order", "payload": {"n": number}})).body["id"] for number in range(7)}
    found: list[str] = []
    query: dict[str, str] = {"limit": "3"}
    pages = 0
    while True:
        page = call_api(get("/items", **query)).body
        found += [item["id"] for item in page["items"]]
        pages += 1
        assert len(page["items"]) <= 3
        if "nextCursor" not in page:
            break
        query["cursor"] = page["nextCursor"]
    assert sorted(found) == sorted(ids)
    assert pages == 3
    assert len(stand.rows()) == 7


@pytest.mark.parametrize("limit", range(1, 5))
def test_rows_of_others_neither_stop_nor_repeat_a_page(stand: Stand, limit: int) -> None:
    ids = {call_api(post({"type": "order", "payload": {"n": number}})).body["id"] for number in range(4)}
    whole = stand.rows()[0]
    for number in range(6):
        key = {"id": {"S": f"theirs-{number}"}, "timestamp": {"N": f"-{number}.5"}}
        stand.dynamodb.put_item(TableName=stand.table, Item=(whole if number % 2 else {}) | key)
    found: list[str] = []
    query = {"limit": str(limit)}
    for _ in range(20):
        page = call_api(get("/items", **query))
        assert page.status == 200
        found += [item["id"] for item in page.body["items"]]
        if "nextCursor" not in page.body:
            break
        query["cursor"] = page.body["nextCursor"]
    assert sorted(found) == sorted(ids)


def test_a_page_has_twenty_items_unless_asked(stand: Stand) -> None:
    row: dict[str, Any] = {
        "status": {"S": "accepted"},
        "checksum": {"S": ""},
        "size": {"N": "0"},
        "data": {"M": {}},
    }
    for number in range(21):
        stand.dynamodb.put_item(
            TableName=stand.table,
            Item={
                **row,
                "id": {"S": f"{number:032x}"},
                "timestamp": {"N": "1"},
                "correlationId": {"S": ""},
                "updatedAt": {"N": "1"},
                "attempts": {"N": "0"},
            },
        )
    assert len(call_api(get("/items")).body["items"]) == 20
    assert len(call_api(get("/items", limit="100")).body["items"]) == 21


BAD_QUERIES: dict[str, dict[str, str]] = {
    "zero": {"limit": "0"},
    "too many": {"limit": "101"},
    "negative": {"limit": "-1"},
    "no number": {"limit": "ten"},
    "other digits": {"limit": "\u0661"},
    "twice": {"limit": "1,2"},
    "empty": {"limit": ""},
    "huge": {"limit": "9" * 5000},
    "unknown": {"filter": "x"},
    "cursor empty": {"cursor": ""},
    "cursor without time": {"cursor": "0" * 32},
    "cursor cut": {"cursor": "0" * 32 + "-"},
    "cursor negative": {"cursor": "0" * 32 + "--1"},
    "cursor other digits": {"cursor": "0" * 32 + "-\u0661"},
    "cursor too far": {"cursor": "0" * 32 + "-" + "9" * 16},
    "cursor traversal": {"cursor": "../..-1"},
    "cursor line end": {"cursor": "0" * 32 + "-1\n"},
}


@pytest.mark.usefixtures("stand")
@pytest.mark.parametrize("query", BAD_QUERIES.values(), ids=BAD_QUERIES.keys())
def test_bad_queries_are_refused_before_any_call(query: dict[str, str]) -> None:
    with recorded() as calls:
        reply = call_api(get("/items", **query))
    assert (reply.status, reply.body["type"]) == (400, "urn:tap:problem:invalid-parameter")
    assert calls == []


@pytest.mark.usefixtures("stand")
def test_a_made_up_cursor_only_starts_elsewhere() -> None:
    assert call_api(get("/items", cursor="f" * 32 + "-1")).status == 200


@pytest.mark.usefixtures("stand")
@pytest.mark.parametrize(("path", "operation"), [("/items", "Scan"), ("/items/" + "0" * 32, "Query")])
def test_a_failing_table_is_unavailable(path: str, operation: str) -> None:
    with failing_on(THROTTLED, operation):
        reply = call_api(get(path))
    assert (reply.status, reply.headers["retry-after"]) == (503, "2")
