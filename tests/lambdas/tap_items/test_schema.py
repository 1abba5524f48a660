from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tap_items.item import ITEM_SCHEMA
from tap_items.schema import Schema, Violation, parse_date_time, violations
from tap_items.work_queue import MESSAGE_SCHEMA
from tests.lambdas.json_values import items, json_objects, json_values

if TYPE_CHECKING:
    from tap_items.json_text import JsonValue

NEARLY_ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "type": json_values() | st.just("order"),
        "payload": json_values() | json_objects(),
        "source": json_values() | st.text(max_size=130),
        "tags": json_values() | st.lists(st.sampled_from(["a", "b", "a b", ""]), max_size=25),
        "colour": json_values(),
    },
)


@given(items() | NEARLY_ITEMS | json_values())
@example({"type": "a\n", "payload": {}})
@example({"type": "a", "payload": {}, "tags": ["a"] * 21})
def test_items_are_judged_as_json_schema_says(value: JsonValue) -> None:
    assert bool(list(violations(value, ITEM_SCHEMA))) == bool(list(_judge(ITEM_SCHEMA, value)))


@given(
    st.fixed_dictionaries(
        {"version": st.sampled_from([1, 2, True, "1", 1.5]), "id": st.sampled_from(["0" * 32, "0", 5])},
        optional={"timestamp": st.integers() | json_values(), "more": st.none()},
    )
)
def test_messages_are_judged_as_json_schema_says(value: JsonValue) -> None:
    assert bool(list(violations(value, MESSAGE_SCHEMA))) == bool(list(_judge(MESSAGE_SCHEMA, value)))


def _judge(schema: Schema, value: JsonValue) -> list[str]:
    """What JSON Schema has against a value.

    Date-times are checked by their own test, as the validator's format checker needs a package of its own. A
    number such as 1.0 is an integer to JSON Schema; the service wants it written as one.
    """
    validator: Any = Draft202012Validator(_anchored(schema))
    found = [error.message for error in validator.iter_errors(value)]
    if isinstance(value, dict):
        moment = value.get("occurredAt")
        if isinstance(moment, str) and parse_date_time(moment) is None:
            found.append("no date-time")
        if schema is MESSAGE_SCHEMA and any(isinstance(each, float) for each in value.values()):
            found.append("a float")
    return found


def _anchored(schema: Any) -> Any:  # noqa: ANN401 - a JSON Schema, or a part of one
    """The schema with `$` as ECMA-262 has it: the very end, not before a last line end."""
    if isinstance(schema, dict):
        members = cast("dict[str, Any]", schema)
        return {
            name: value.replace("$", r"\Z") if name == "pattern" else _anchored(value)
            for name, value in members.items()
        }
    return [_anchored(each) for each in cast("list[Any]", schema)] if isinstance(schema, list) else schema


def test_each_violation_says_where_and_what_is_required() -> None:
    value: JsonValue = {
        "type": "Order",
        "source": "",
        "occurredAt": "yesterday",
        "tags": ["a", "a", 5, "b b"],
        "colour": "red",
    }
    assert list(violations(value, ITEM_SCHEMA)) == [
        Violation("/payload", "is required"),
        Violation("", "has 1 unknown member(s); known are: type, payload, source, occurredAt, tags"),
        Violation("/type", "must match ^[a-z][a-z0-9.-]{0,63}$"),
        Violation("/source", "must have 1 to 128 characters"),
        Violation("/occurredAt", "must be a date and time of RFC 3339, with an offset"),
        Violation("/tags", "must not have the same item twice"),
        Violation("/tags/2", "must be a string"),
        Violation("/tags/3", "must match ^[A-Za-z0-9][A-Za-z0-9:._-]{0,63}$"),
    ]


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ([], "must be an object"),
        ({"type": "a", "payload": []}, "must be an object"),
        ({"type": "a", "payload": {}, "tags": {}}, "must be an array"),
        ({"type": "a", "payload": {}, "tags": ["a"] * 21}, "must have at most 20 items"),
    ],
)
def test_wrong_types_are_named(value: JsonValue, detail: str) -> None:
    assert [each.detail for each in violations(value, ITEM_SCHEMA)] == [detail]


@pytest.mark.parametrize(
    ("value", "detail"),
    [(True, "must be an integer"), (1.0, "must be an integer"), (-1, "must lie between 0 and 5")],
)
def test_integers(value: JsonValue, detail: str) -> None:
    schema = {"type": "integer", "minimum": 0, "maximum": 5}
    assert list(violations(value, schema)) == [Violation("", detail)]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23T09:30:00Z", "2026-11-23T09:30:00+00:00"),
        ("2026-11-23t09:30:00.123456789z", "2026-11-23T09:30:00.123456+00:00"),
        ("2026-11-23T00:30:00+01:30", "2026-11-22T23:00:00+00:00"),
        ("2024-02-29T23:59:59-23:59", "2024-03-01T23:58:59+00:00"),
    ],
)
def test_date_times(text: str, moment: str) -> None:
    assert parse_date_time(text) == dt.datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026-11-23", "2026-11-23 09:30:00Z", "2026-11-23T09:30:00", "2026-11-23T09:30Z"),
        *(
            "2026-02-29T00:00:00Z",
            "2026-11-23T24:00:01Z",
            "2026-11-23T23:59:60Z",
            "0001-01-01T00:00:00+01:00",
        ),
        *(
            "2026-11-23T09:30:00+0100",
            "2026-W48-1T09:30:00Z",
            "\uff12026-11-23T09:30:00Z",
            "2026-11-23T09:30:00Z\n",
        ),
    ],
)
def test_no_date_times(text: str) -> None:
    assert parse_date_time(text) is None
