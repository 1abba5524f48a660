"""Marked values of a rehearsal, as policies see them."""

from __future__ import annotations

import base64
import json
from typing import cast

import pytest

from tapgate.analyzer import deployment
from tapgate.analyzer.deployment import (
    MARK,
    MARKED_NUMBER,
    REHEARSED,
    SECRET,
    UNKNOWN,
    Deployment,
    Resource,
    without_marks,
)
from tapgate.embedded.aws_provider import marks
from tapgate.json_access import SIGNATURE

MARKED = f"{MARK}1a2b3c4d"


def seen(
    outputs: dict[str, object], inputs: dict[str, object] | None = None, **more: object
) -> tuple[dict[str, object], dict[str, object]]:
    body: dict[str, object] = {"inputs": inputs or {}, "outputs": outputs, **more}
    (one,) = without_marks(Deployment("p", "s", (Resource("urn", "t", body),))).resources
    return cast("dict[str, object]", one.outputs), cast("dict[str, object]", one.inputs)


def test_both_sides_know_the_same_marks() -> None:
    assert (MARK, MARKED_NUMBER, REHEARSED) == (
        marks.MARK,
        marks.MARKED_NUMBER,
        marks.REHEARSED,
    )
    assert MARK in marks.marked_text("x")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (MARKED, UNKNOWN),
        (f"arn:aws:s3:::{MARKED}/x", UNKNOWN),
        (MARKED.upper(), UNKNOWN),
        (float(MARKED_NUMBER), UNKNOWN),
        ([MARKED, "a", 1.0, True], [UNKNOWN, "a", 1.0, True]),
        ({"a": {"b": MARKED}, "c": None}, {"a": {"b": UNKNOWN}, "c": None}),
        ({MARKED: "a name made of it"}, UNKNOWN),
        ("a text", "a text"),
        (MARKED_NUMBER + 1, MARKED_NUMBER + 1),
    ],
)
def test_a_marked_value_is_unknown(value: object, expected: object) -> None:
    assert seen({"x": value}, {"x": value}) == ({"x": expected}, {"x": expected})


def test_of_a_json_document_only_what_is_marked_is_unknown() -> None:
    policy = {"Statement": [{"Action": ["s3:*"], "Resource": [f"{MARKED}/*", "arn:aws:s3:::b"]}]}
    outputs, _ = seen({"policy": json.dumps(policy)})
    assert json.loads(str(outputs["policy"])) == {
        "Statement": [{"Action": ["s3:*"], "Resource": [UNKNOWN, "arn:aws:s3:::b"]}]
    }


@pytest.mark.parametrize(
    "text", ["#!/bin/sh\nmount {}:/ /mnt\nexport DB_HOST={}.rds.amazonaws.com\n", "jdbc:redshift://{}/dev"]
)
def test_of_a_script_and_of_a_url_only_what_is_marked_is_unknown(text: str) -> None:
    marked, unknown = text.replace("{}", MARKED), text.replace("{}", UNKNOWN)
    packed, there = (base64.b64encode(one.encode()).decode() for one in (marked, unknown))
    value = {"script": marked, "json": json.dumps([marked]), "packed": packed}
    assert seen({"x": value})[0] == {"x": {"script": unknown, "json": json.dumps([unknown]), "packed": there}}


@pytest.mark.parametrize("text", [f'{{"broken": "{MARKED}"', f'"{MARKED}"', "[" * 100_000 + MARKED])
def test_a_marked_text_that_is_no_document_is_unknown(text: str) -> None:
    assert seen({"x": text})[0] == {"x": UNKNOWN}


def test_of_an_open_secret_the_value_is_unknown_and_it_stays_secret() -> None:
    secret = {SIGNATURE: SECRET, "plaintext": json.dumps({"a": MARKED})}
    outputs, _ = seen({"x": secret})
    assert outputs["x"] == {SIGNATURE: SECRET, "value": {"a": UNKNOWN}}


def test_what_a_resource_lists_is_unknown_whatever_it_is() -> None:
    outputs, _ = seen(
        {
            REHEARSED: ["flag", "block.inner", "list[1].x", "gone.too"],
            "flag": False,
            "block": {"inner": True, "given": True},
            "list": [{"x": False}, {"x": False}],
        }
    )
    assert outputs == {
        "flag": UNKNOWN,
        "block": {"inner": UNKNOWN, "given": True},
        "list": [{"x": False}, {"x": UNKNOWN}],
    }


def test_true_and_false_taken_from_one_that_nobody_knows_are_unknown() -> None:
    source = Resource("a", "t", {"outputs": {"flag": True, "name": "n", REHEARSED: ["flag"]}})
    taker = Resource("b", "t", {
        "inputs": {"on": True, "own": True, "name": "n"},
        "outputs": {"on": True, "own": True, "name": "n"},
        "propertyDependencies": {"on": ["a"], "name": ["a"], "own": ["c"]},
    })  # fmt: skip
    _, one = without_marks(Deployment("p", "s", (source, taker))).resources
    assert one.inputs == one.outputs == {"on": UNKNOWN, "own": True, "name": "n"}


def test_the_given_state_stays_as_it_is() -> None:
    body: dict[str, object] = {"outputs": {"b": {"x": True}, REHEARSED: ["b.x"]}, "inputs": {}}
    deployment.without_marks(Deployment("p", "s", (Resource("urn", "t", body),)))
    assert body["outputs"] == {"b": {"x": True}, REHEARSED: ["b.x"]}
