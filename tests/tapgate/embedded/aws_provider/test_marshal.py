from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from tapgate.embedded.aws_provider.values import (
    UNKNOWN,
    Blob,
    Properties,
    Secrets,
    Value,
    contains_unknown,
    decode,
    encode,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = st.text(min_size=1, max_size=6)
HASHES = st.sampled_from(["", "ab12"])
ASSETS = st.builds(
    Blob, st.just("asset"), HASHES, st.none() | st.text(max_size=5), st.sampled_from(["", "a.py"])
)
LEAVES: st.SearchStrategy[Value] = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.just(UNKNOWN),
    ASSETS,
    st.builds(Blob, st.just("archive"), HASHES, assets=st.dictionaries(NAMES, ASSETS, max_size=2)),
)


def _nested(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    return st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)


VALUES: st.SearchStrategy[Value] = st.recursive(LEAVES, _nested, max_leaves=8)
PROPERTIES: st.SearchStrategy[Properties] = st.dictionaries(NAMES, VALUES, max_size=4)


@given(PROPERTIES)
def test_values_survive_the_protocol(values: Properties) -> None:
    back, secrets = decode(encode(values))
    assert back == values
    assert secrets == {}


@given(PROPERTIES, st.data())
def test_secrets_survive_the_protocol(values: Properties, data: st.DataObject) -> None:
    marks: Secrets = dict.fromkeys(name for name in sorted(values) if data.draw(st.booleans()))
    back, secrets = decode(encode(values, marks))
    assert back == values
    assert secrets == marks


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ({"tags": {"a": "x", "b": "y"}}, {"tags": {"a": None}}),
        ({"environment": {"variables": {"K": "v"}}}, {"environment": {"variables": {"K": None}}}),
    ],
)
def test_a_secret_inside_an_object_leaves_its_neighbours_plain(values: Properties, marks: Secrets) -> None:
    assert decode(encode(values, marks)) == (values, marks)


def test_a_list_with_a_secret_in_it_is_secret_as_a_whole() -> None:
    inner = encode({"x": "hush"}, {"x": None}).fields["x"]
    struct = struct_pb2.Struct()
    struct.fields["list"].list_value.values.add().string_value = "open"
    struct.fields["list"].list_value.values.add().CopyFrom(inner)
    assert decode(struct) == ({"list": ["open", "hush"]}, {"list": None})


def test_a_mark_on_an_object_that_became_a_text_hides_the_whole_text() -> None:
    encoded = encode({"policy": '{"Statement":[]}'}, {"policy": {"Statement": None}})
    assert decode(encoded) == ({"policy": '{"Statement":[]}'}, {"policy": None})


def test_a_mark_on_what_is_gone_is_no_harm() -> None:
    assert decode(encode({"a": 1}, {"b": None})) == ({"a": 1}, {})


def _struct(fields: Mapping[str, object]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    cast("dict[str, object]", struct).update(fields)
    return struct


def test_null_is_a_property_that_was_not_given() -> None:
    assert decode(_struct({"a": None, "b": {"c": None, "d": 1.0}})) == ({"b": {"d": 1}}, {})


OUTPUTS: list[tuple[dict[str, object], tuple[Properties, Secrets]]] = [
    ({"value": "v"}, ({"x": "v"}, {})),
    ({"value": "v", "secret": True}, ({"x": "v"}, {"x": None})),
    ({}, ({"x": UNKNOWN}, {})),
]


@pytest.mark.parametrize(("output", "expected"), OUTPUTS)
def test_an_output_is_its_value(output: dict[str, object], expected: tuple[Properties, Secrets]) -> None:
    signature = {"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4"}
    assert decode(_struct({"x": {**signature, **output}})) == expected


@pytest.mark.parametrize(
    "text", ["04da6b54-80e4-46f7-96ec-b56ff0331ba9", "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2"]
)
def test_every_mark_of_the_unknown_is_understood(text: str) -> None:
    values, _ = decode(_struct({"a": [{"b": text}]}))
    assert values == {"a": [{"b": UNKNOWN}]}
    assert contains_unknown(values)
    assert not contains_unknown({"a": [{"b": "text"}]})


def test_an_asset_from_elsewhere_keeps_its_address() -> None:
    blob = Blob("asset", uri="https://example.com/x.zip")
    assert decode(encode({"a": blob}))[0] == {"a": blob}


def test_null_inside_a_list_stays() -> None:
    assert decode(encode({"a": [None, 1]}))[0] == {"a": [None, 1]}
