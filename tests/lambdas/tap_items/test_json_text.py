from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_items.json_text import MAX_DEPTH, MAX_DIGITS, JsonTextError, canonical_json, parse_json
from tests.lambdas.json_values import json_values

if TYPE_CHECKING:
    from tap_items.json_text import JsonValue


@given(json_values())
def test_what_is_written_is_read_back(value: JsonValue) -> None:
    assert parse_json(canonical_json(value)) == value
    assert parse_json(json.dumps(value, indent=3).encode()) == value


@given(json_values())
def test_equal_values_give_equal_bytes(value: JsonValue) -> None:
    shuffled = parse_json(json.dumps(value, sort_keys=True, indent=1).encode())
    assert canonical_json(shuffled) == canonical_json(value)


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    try:
        value = parse_json(text)
    except JsonTextError:
        return
    canonical_json(value)
    assert json.loads(text) == value


REFUSED = {
    "nothing": (b"", "malformed JSON (line 1, column 1)"),
    "truncated": (b'{"a": ', "malformed JSON (line 1, column 7)"),
    "trailing text": (b"{} {}", "malformed JSON (line 1, column 4)"),
    "single quotes": (b"{'a': 1}", "malformed JSON (line 1, column 2)"),
    "latin-1": ("é".encode("latin-1"), "not UTF-8 (byte 0)"),
    "utf-16": ("{}".encode("utf-16"), "not UTF-8 (byte 0)"),
    "byte order mark": (b"\xef\xbb\xbf{}", "malformed JSON (line 1, column 1)"),
    "NaN": (b'{"a": NaN}', "NaN and infinities are not JSON"),
    "infinity": (b"-Infinity", "NaN and infinities are not JSON"),
    "float too large": (b"1e999", "a number is out of range"),
    "integer too long": (b"1" * (MAX_DIGITS + 1), "a number is out of range"),
    "name twice": (b'{"a": 1, "a": 1}', "a name stands twice in one object"),
    "name twice within": (b'[{"b": {"a": 1, "\\u0061": 2}}]', "a name stands twice in one object"),
    "name twice when normalised": ('{"é": 1, "e\u0301": 2}'.encode(), "a name stands twice in one object"),
    "half a surrogate pair": (b'["\\ud800"]', "a string holds half of a surrogate pair"),
    "half a surrogate pair in a name": (b'{"\\udfff": 1}', "a string holds half of a surrogate pair"),
    "too deep": (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), f"nested deeper than {MAX_DEPTH} levels"),
    "far too deep": (b"[" * 200_000 + b"]" * 200_000, f"nested deeper than {MAX_DEPTH} levels"),
    "far too deep objects": (b'{"a":' * 200_000, f"nested deeper than {MAX_DEPTH} levels"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_doubtful_json_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(JsonTextError) as caught:
        parse_json(text)
    assert str(caught.value) == message


def test_limits_are_inclusive() -> None:
    parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert parse_json(b"9" * MAX_DIGITS) == int("9" * MAX_DIGITS)
    assert parse_json(b'"\\ud83d\\ude00"') == "😀"


def test_a_refusal_never_repeats_the_text() -> None:
    for text in (b'{"secret": hunter2}', b'{"hunter2": 1, "hunter2": 2}', b'["hunter2\\ud800"]'):
        with pytest.raises(JsonTextError) as caught:
            parse_json(text)
        assert "hunter2" not in str(caught.value)
