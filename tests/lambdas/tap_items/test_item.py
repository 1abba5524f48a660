from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_items.item import (
    InvalidItemError,
    fingerprint,
    item_id,
    message_record_id,
    read_item,
    sha256_hex,
)
from tap_items.record import valid_id
from tests.lambdas.json_values import items, json_values

if TYPE_CHECKING:
    from tap_items.json_text import JsonValue


@given(items())
def test_a_valid_item_is_read_whole(value: dict[str, JsonValue]) -> None:
    item = read_item(value)
    described = item.description()
    assert item.payload == value["payload"]
    assert {name: each for name, each in value.items() if name != "payload" and each != []} == described


@given(json_values())
def test_what_is_no_item_is_refused_without_its_values(value: JsonValue) -> None:
    with pytest.raises(InvalidItemError) as caught:
        read_item({"type": "order", "payload": value, "password-hunter2": value})
    assert "hunter2" not in str(caught.value)


@given(items(), st.none() | st.text(min_size=1), st.text())
def test_a_repeated_request_leads_to_the_same_id(value: JsonValue, key: str | None, caller: str) -> None:
    first = item_id(caller=caller, idempotency_key=key, content_fingerprint=fingerprint(value))
    again = item_id(caller=caller, idempotency_key=key, content_fingerprint=fingerprint(value))
    assert first == again
    assert valid_id(first)


def test_what_the_id_depends_on() -> None:
    print_of = fingerprint({"type": "order", "payload": {}})
    ids = [
        item_id(caller="a", idempotency_key=None, content_fingerprint=print_of),
        item_id(caller="a", idempotency_key="k", content_fingerprint=print_of),
        item_id(caller="b", idempotency_key="k", content_fingerprint=print_of),
        item_id(caller="ak", idempotency_key="", content_fingerprint=print_of),
        item_id(caller="", idempotency_key=None, content_fingerprint=fingerprint({})),
        message_record_id("k"),
    ]
    assert len(set(ids)) == len(ids)
    keyed = item_id(caller="a", idempotency_key="k", content_fingerprint="other")
    assert keyed == ids[1]
    unkeyed = item_id(caller="b", idempotency_key=None, content_fingerprint=print_of)
    assert unkeyed == ids[0]


def test_order_and_spacing_do_not_change_the_fingerprint() -> None:
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint({"b": [1, 2]}) != fingerprint({"b": [2, 1]})


def test_checksum() -> None:
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
