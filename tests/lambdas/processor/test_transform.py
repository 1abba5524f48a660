from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.transform import COUNTED, count_values, normalise, transform
from tap_items.item import read_item
from tap_items.json_text import canonical_json, parse_json
from tap_items.record import ItemRecord, Status
from tests.lambdas.json_values import items, json_values

if TYPE_CHECKING:
    from tap_items.json_text import JsonValue


def record(timestamp: int = 1_763_890_200_000) -> ItemRecord:
    return ItemRecord(
        id="0" * 32,
        timestamp=timestamp,
        status=Status.ACCEPTED,
        checksum="c" * 64,
        size=10,
        data={},
        correlation_id="",
        updated_at=timestamp,
    )


@given(items(), st.integers(0, 4_102_444_800_000))
def test_equal_input_gives_equal_bytes(value: dict[str, JsonValue], timestamp: int) -> None:
    again = parse_json(json.dumps(value, sort_keys=True, indent=2).encode())
    assert transform(read_item(value), record(timestamp)) == transform(read_item(again), record(timestamp))


@given(items())
def test_the_result_is_json_that_names_its_item(value: dict[str, JsonValue]) -> None:
    content, counts = transform(read_item(value), record())
    result: Any = parse_json(content)
    assert result["id"] == "0" * 32
    assert result["type"] == value["type"]
    assert result["payload"] == normalise(value["payload"])
    assert result["counts"] == counts
    assert set(counts) == set(COUNTED)
    assert set(result) >= set(value) - {"tags"} | ({"tags"} if value.get("tags") else set())


@given(json_values())
def test_normalising_twice_changes_nothing_more(value: JsonValue) -> None:
    once = normalise(value)
    assert canonical_json(normalise(once)) == canonical_json(once)


@given(json_values())
def test_normalising_keeps_form_and_numbers(value: JsonValue) -> None:
    assert count_values(normalise(value)) == count_values(value)
    if isinstance(value, int | float):
        assert normalise(value) == value


@given(st.text())
def test_strings_are_normal(text: str) -> None:
    normal = str(normalise(text))
    assert unicodedata.is_normalized("NFC", normal)
    assert "\r" not in normal
    assert normal == normal.strip()


@given(json_values())
def test_counts_add_up(value: JsonValue) -> None:
    counts = count_values(value)
    text = json.dumps(value)
    total = sum(counts[kind] for kind in COUNTED if kind != "depth")
    assert total == _values(value)
    assert counts["depth"] <= text.count("[") + text.count("{")


def _values(value: JsonValue) -> int:
    if isinstance(value, dict):
        return 1 + sum(_values(each) for each in value.values())  # pyright: ignore[reportUnknownVariableType]
    return 1 + sum(_values(each) for each in value) if isinstance(value, list) else 1  # pyright: ignore[reportUnknownVariableType]


def test_a_whole_item() -> None:
    value: JsonValue = {
        "type": "sensor.reading",
        "source": " cafe\u0301\r\n ",
        "occurredAt": "2026-11-23T09:30:00.5+01:00",
        "tags": ["b", "a"],
        "payload": {
            "e\u0301": [1.0, -0.0, 1.5, 2**60, 1e300],
            "t": " a\r\nb\rc ",
            "n": None,
            "o": {"b": True},
        },
    }
    content, counts = transform(read_item(value), record(1_763_890_200_123))
    assert json.loads(content) == {
        "form": "tap.item.processed/1",
        "id": "0" * 32,
        "type": "sensor.reading",
        "source": "café",
        "receivedAt": "2025-11-23T09:30:00.123Z",
        "occurredAt": "2026-11-23T08:30:00.500Z",
        "received": {"checksum": "c" * 64, "size": 10},
        "tags": ["a", "b"],
        "payload": {"é": [1, 0, 1.5, 2**60, 1e300], "t": "a\nb\nc", "n": None, "o": {"b": True}},
        "counts": counts,
    }
    assert b'"\xc3\xa9":[1,0,1.5,1152921504606846976,1e+300]' in content
    assert counts == {
        "objects": 2,
        "arrays": 1,
        "strings": 1,
        "numbers": 5,
        "booleans": 1,
        "nulls": 1,
        "depth": 2,
    }


def test_what_was_not_sent_is_not_made_up() -> None:
    content, counts = transform(read_item({"type": "a", "payload": {}}), record())
    assert set(json.loads(content)) == {"form", "id", "type", "receivedAt", "received", "payload", "counts"}
    assert counts["depth"] == 1


@pytest.mark.parametrize(("text", "depth"), [("1", 0), ("[]", 1), ("[[]]", 2), ('[1,[2,{"a":[3]}]]', 4)])
def test_depth(text: str, depth: int) -> None:
    assert count_values(json.loads(text))["depth"] == depth
