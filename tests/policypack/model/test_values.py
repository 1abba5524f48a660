"""Decoding: from what stands on the wire to values, by either way the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from tap_guardrails.model import UNKNOWN, Opaque, PropertyRef, Secret, Unknown, Value, decode
from tap_guardrails.model.values import (
    MAXIMUM_DEPTH,
    OPAQUE_SIGNATURES,
    OUTPUT_SIGNATURE,
    REFERENCE_SIGNATURE,
    SECRET_SIGNATURE,
    SIGNATURE_KEY,
    UNKNOWN_MARKS,
    UNKNOWN_TEXT,
    Overlay,
    Partial,
    has_unknown,
    overlaid,
)
from tap_guardrails.serving.analyzer import wire_dependencies, wire_properties
from tests.policypack.harness.cases import CaseResource
from tests.policypack.harness.pack import stack_request
from tests.policypack.harness.trees import struct

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK = min(UNKNOWN_MARKS)


def signed(signature: object, **fields: object) -> dict[str, object]:
    return {SIGNATURE_KEY: signature, **fields}


@pytest.mark.parametrize("mark", sorted(UNKNOWN_MARKS))
def test_every_mark_of_an_unknown_is_one(mark: str) -> None:
    assert decode({"a": [mark, mark[1:]]}) == {"a": [UNKNOWN, mark[1:]]}


def test_a_text_with_an_unknown_in_it_is_known_in_part_and_counts_as_unknown() -> None:
    script, document = f"mount {UNKNOWN_TEXT}:/ /mnt", f'{{"a": "{UNKNOWN_TEXT}"}}'
    value = decode({"script": script, "document": document})
    assert value == {"script": Partial(script), "document": document}
    ref = PropertyRef("", value)
    assert isinstance(ref.at("script").text(), Unknown)
    assert isinstance(ref.at("script", "more").text(), Unknown)
    assert ref.at("script").document().at("Statement").value is UNKNOWN
    assert (ref.at("script").found(), has_unknown(value)) == ("unknown until deployment", True)
    assert "[unknown until deployment]" in ref.found()


@pytest.mark.parametrize(
    ("tree", "value"),
    [
        (1, 1.0),
        (True, True),
        (None, None),
        (10**400, Opaque("number beyond every limit")),
        (b"x", Opaque("bytes")),
        ({1, 2}, Opaque("set")),
        ({1: "x"}, {"1": "x"}),
        (("x",), ["x"]),
        (signed(SECRET_SIGNATURE, value="x"), Secret("x")),
        (signed(SECRET_SIGNATURE), Secret(UNKNOWN)),
        (signed(OUTPUT_SIGNATURE, value="x"), "x"),
        (signed(OUTPUT_SIGNATURE), UNKNOWN),
        (signed(OUTPUT_SIGNATURE, value="x", secret=True), Secret("x")),
        (signed(REFERENCE_SIGNATURE, urn="urn", id="i-1"), "i-1"),
        (signed(REFERENCE_SIGNATURE, urn="urn"), UNKNOWN),
        (signed(REFERENCE_SIGNATURE, urn="urn", id=""), UNKNOWN),
        *((signed(signature, path="x"), Opaque(what)) for signature, what in OPAQUE_SIGNATURES.items()),
        (signed("0" * 32), Opaque("value of a type that this pack does not know")),
        (signed([1]), Opaque("value of a type that this pack does not know")),
    ],
)
def test_what_a_tree_means(tree: object, value: Value) -> None:
    assert decode(tree) == value


def test_a_tree_ends_where_nobody_looks_any_more() -> None:
    tree: object = "x"
    for _ in range(MAXIMUM_DEPTH + 5):
        tree = [tree]
    value, depth = decode(tree), 0
    while isinstance(value, list):
        value, depth = value[0], depth + 1
    assert (value, depth) == (Opaque("value nested too deep"), MAXIMUM_DEPTH)


leaves = (
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.just(MARK)
)
signatures = st.sampled_from(
    [SECRET_SIGNATURE, OUTPUT_SIGNATURE, REFERENCE_SIGNATURE, *OPAQUE_SIGNATURES, "?"]
)


def grown(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    optional = {"value": inner, "id": inner, "secret": st.booleans()}
    signed_trees = st.fixed_dictionaries({SIGNATURE_KEY: signatures}, optional=optional)
    return (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3) | signed_trees
    )


trees = st.dictionaries(
    st.text(max_size=3), st.recursive(cast("st.SearchStrategy[object]", leaves), grown), max_size=4
)


@given(trees)
def test_both_ways_of_decoding_agree(tree: dict[str, object]) -> None:
    message = struct(tree)
    wire = wire_properties(message)
    assert dict(wire) == {key: decode(value) for key, value in MessageToDict(message).items()}
    assert (len(wire), set(wire)) == (len(tree), set(tree))
    assert wire.get("no such property") is None


def test_dependencies_are_read_off_the_message() -> None:
    given_ = CaseResource("a", "aws:x:Y", deps={"p": ["b", "c"]})
    (message,) = stack_request([given_]).resources
    dependencies = wire_dependencies(message)
    assert dict(dependencies) == {"p": ("b", "c")}
    assert len(dependencies) == 1
    assert dependencies.get("q") is None


@given(trees)
def test_an_unknown_is_found_wherever_it_is(tree: dict[str, object]) -> None:
    value = decode(tree)
    assert has_unknown(value) == ("UNKNOWN" in repr(value).replace("'UNKNOWN'", ""))


@pytest.mark.parametrize(
    ("output", "asked", "merged"),
    [
        (UNKNOWN, None, None),
        (UNKNOWN, "x", "x"),
        (UNKNOWN, UNKNOWN, UNKNOWN),
        (UNKNOWN, Secret("x"), Secret("x")),
        ("x", "y", "x"),
        ("x", None, "x"),
        (Secret(UNKNOWN), None, None),
        (Secret(UNKNOWN), "x", Secret("x")),
        (Secret(UNKNOWN, marked=False), "x", Secret("x", marked=False)),
        (Secret(UNKNOWN), Secret("x"), Secret("x")),
        ({"a": UNKNOWN, "b": UNKNOWN}, {"a": 1.0}, {"a": 1.0, "b": None}),
        ({"a": UNKNOWN}, UNKNOWN, {"a": UNKNOWN}),
        ({"a": UNKNOWN}, Secret({"a": "x"}), {"a": "x"}),
        ({"a": UNKNOWN}, "x", {"a": None}),
        ([UNKNOWN], ["x"], [UNKNOWN]),
    ],
)
def test_an_unknown_output_is_what_was_asked_for(output: Value, asked: Value, merged: Value) -> None:
    assert overlaid(output, asked) == merged


def test_outputs_keep_their_names_under_inputs() -> None:
    outputs: Mapping[str, Value] = {"a": UNKNOWN, "b": "x"}
    merged = Overlay(outputs, {"a": "y", "c": "z"})
    assert dict(merged) == {"a": "y", "b": "x"}
    assert len(merged) == 2
    assert merged.get("c") is None
