from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.reports.verdict_file import ShapeError, VerdictFile, from_json, to_json
from tests.tapgate.reports import realistic
from tests.tapgate.reports.readers import validate
from tests.tapgate.reports.strategies import unhurried, verdict_files

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = resources.files("tapgate.reports").joinpath("verdicts.schema.json")


@unhurried
@given(verdict_files)
def test_any_verdict_comes_back_as_it_was(verdicts: VerdictFile) -> None:
    document = to_json(verdicts)
    assert document.isascii()
    assert from_json(document) == verdicts
    assert to_json(from_json(document)) == document
    validate(json.loads(document), SCHEMA)


def test_the_order_of_stacks_does_not_matter() -> None:
    audit = realistic.audit()
    turned = VerdictFile.of(
        audit.kind,
        reversed(audit.stacks),
        unaudited=reversed(audit.unaudited),
        policies=reversed(audit.policies),
        made=realistic.MADE,
    )
    assert to_json(turned) == to_json(audit)


def test_the_verdict_of_one_stack_is_read_as_well() -> None:
    (report,) = realistic.blocked().stacks
    assert from_json(json.dumps(report.as_document())) == VerdictFile.of("preview", [report])


def test_what_a_later_version_adds_is_passed_over() -> None:
    document = json.loads(to_json(realistic.blocked()))
    document["later"] = document["stacks"][0]["later"] = document["stacks"][0]["findings"][0]["later"] = 1
    assert from_json(json.dumps(document)) == realistic.blocked()


def test_what_has_a_default_may_be_missing() -> None:
    document = json.loads(to_json(realistic.blocked()))
    for finding in document["stacks"][0]["findings"]:
        del finding["location"]
    assert all(one.location is None for one in from_json(json.dumps(document)).stacks[0].findings)


@pytest.mark.parametrize(
    ("path", "value", "where", "problem"),
    [
        (["schema"], "tap-guardrails/verdicts/2", "schema", "must be tap-guardrails/verdicts/1 or"),
        (["kind"], "guess", "kind", "Invalid enum value 'guess'"),
        (["kind"], ["preview"], "kind", "Expected `str`, got `array`"),
        (["stacks"], {}, "stacks", "Expected `array`, got `object`"),
        (["unaudited"], None, "unaudited", "Expected `array`, got `null`"),
        (["unaudited"], [7], "unaudited[0]", "Expected `object`, got `int`"),
        (["policies"], [{"policy": "x"}], "policies[0]", "missing required field `pack`"),
        (["stacks", 0], [], "stacks[0]", "Expected `object`, got `array`"),
        (["stacks", 0, "seconds"], "1", "stacks[0].seconds", "Expected `float`, got `str`"),
        (["stacks", 0, "seconds"], True, "stacks[0].seconds", "Expected `float`, got `bool`"),
        (["stacks", 0, "seconds"], 10**400, "stacks[0].seconds", "Number out of range"),
        (["stacks", 0, "resources"], 1.5, "stacks[0].resources", "Expected `int`, got `float`"),
        (["stacks", 0, "resources"], None, "stacks[0].resources", "Expected `int`, got `null`"),
        (["stacks", 0, "notes"], "x", "stacks[0].notes", "Expected `array`, got `str`"),
        (["stacks", 0, "notes", 0], 1, "stacks[0].notes[0]", "Expected `str`, got `int`"),
        (["stacks", 0, "changes"], {"create": "1"}, "stacks[0].changes", "Expected `int`, got `str`"),
        (
            ["stacks", 0, "findings", 0, "verdict"],
            "fine",
            "stacks[0].findings[0].verdict",
            "Invalid enum value",
        ),
        (["stacks", 0, "findings", 0, "property"], 1, "stacks[0].findings[0].property", "Expected `str`"),
        (
            ["stacks", 0, "findings", 0, "location"],
            "x",
            "stacks[0].findings[0].location",
            "Expected `object | null`",
        ),
        (["stacks", 0, "tallies", 0, "disabled"], 1, "stacks[0].tallies[0].disabled", "Expected `bool`"),
        (["stacks", 0, "outcome"], "passed", "stacks[0].outcome", "must be blocked, by the findings"),
        (["outcome"], "passed", "outcome", "must be blocked, by the findings"),
    ],
)
def test_a_wrong_shape_is_refused_with_its_place(
    path: list[str | int], value: object, where: str, problem: str
) -> None:
    document = json.loads(to_json(realistic.blocked()))
    inside: Any = document
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value
    with pytest.raises(ShapeError) as refused:
        from_json(json.dumps(document))
    assert refused.value.where == where
    assert problem in refused.value.problem
    assert str(refused.value) == f"{where}: {refused.value.problem}"


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        ("[" * 200_000, "is nested too deeply"),
        ("[]", "must be an object"),
        ('{"schema": NaN}', "NaN is not a number of JSON"),
        ("{}", "must be tap-guardrails/verdicts/1"),
    ],
)
def test_what_is_no_verdict_is_refused(document: str | bytes, problem: str) -> None:
    with pytest.raises(ShapeError, match=problem):
        from_json(document)


def places(inside: dict[str, Any] | list[Any]) -> Iterator[tuple[Any, Any]]:
    """Every place in a document: what it is in, and the key or index."""
    for step, value in inside.items() if isinstance(inside, dict) else enumerate(inside):
        yield inside, step
        if isinstance(value, (dict, list)):
            yield from places(cast("dict[str, Any]", value))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@unhurried
@given(st.data(), JSON_VALUES)
def test_a_document_with_anything_in_any_place_is_read_or_refused(data: st.DataObject, value: object) -> None:
    document = json.loads(to_json(realistic.blocked()))
    inside, step = data.draw(st.sampled_from(list(places(document))))
    inside[step] = value
    try:
        verdicts = from_json(json.dumps(document))
    except ShapeError:
        return
    assert from_json(to_json(verdicts)) == verdicts
