"""Reading a property: what is right, absent, unknown or wrong is an answer, and nothing raises."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_guardrails.model import UNKNOWN, Absent, Invalid, Known, Opaque, PropertyRef, Secret, Unknown, Value
from tap_guardrails.model.stack import property_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_guardrails.model import PropertyValue

    AnyPropertyValue = (
        PropertyValue[bool]
        | PropertyValue[float]
        | PropertyValue[int]
        | PropertyValue[str]
        | PropertyValue[list[PropertyRef]]
        | PropertyValue[dict[str, PropertyRef]]
    )


def ref(value: Value) -> PropertyRef:
    return property_at({"p": value}, ("p",))


@pytest.mark.parametrize(
    ("value", "boolean", "number", "integer", "text"),
    [
        (True, True, None, None, "true"),
        ("true", True, None, None, "true"),
        ("false", False, None, None, "false"),
        ("True", None, None, None, "True"),
        (1.0, None, 1.0, 1, "1"),
        ("30", None, 30.0, 30, "30"),
        ("30.0", None, 30.0, 30, "30.0"),
        (30.5, None, 30.5, None, "30.5"),
        ("-1e2", None, -100.0, -100, "-1e2"),
        ("1_000", None, None, None, "1_000"),
        ("٣", None, None, None, "٣"),
        ("1e999", None, None, None, "1e999"),
        (math.inf, None, None, None, "inf"),
        ([], None, None, None, None),
    ],
)
def test_what_a_value_counts_as(
    value: Value, boolean: object, number: object, integer: object, text: object
) -> None:
    here = ref(value)
    props = (here.boolean(), here.number(), here.integer(), here.text())
    for prop, expected in zip(props, (boolean, number, integer, text), strict=True):
        if expected is None:
            assert isinstance(prop, Invalid)
        else:
            assert prop == Known(expected, here)


def all_readings(here: PropertyRef) -> Sequence[AnyPropertyValue]:
    return [here.boolean(), here.number(), here.integer(), here.text(), here.items(), here.entries()]


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, Absent), (UNKNOWN, Unknown), (Secret(UNKNOWN), Unknown), (Opaque("asset"), Invalid)],
)
def test_what_is_no_value_is_an_answer(value: Value, kind: type) -> None:
    assert all(isinstance(prop, kind) for prop in all_readings(ref(value)))
    assert all(isinstance(prop, kind) for prop in all_readings(ref(value).document()))


def test_an_empty_text_is_absent_and_is_shown() -> None:
    assert isinstance(ref("").text(), Absent)
    assert ref("").found() == '""'


def test_going_down_tells_the_path_and_where_it_went_wrong() -> None:
    here = ref({"list": [{"a.b": "x"}], "text": "t", "gone": None, "later": UNKNOWN})
    assert here.at("list", 0, "a.b").path == 'p.list[0]["a.b"]'
    assert here.at("list", 0, "a.b").top == "p"
    assert isinstance(here.at("list", 7).text(), Absent)
    assert isinstance(here.at("gone", "more", 3).text(), Absent)
    assert isinstance(here.at("later", "more").text(), Unknown)
    for wrong, wanted in ((here.at("text", "more"), "an object"), (here.at("text", 0, "x"), "a list")):
        assert wrong.path == "p.text"
        assert all(prop == Invalid(wrong, wanted) for prop in all_readings(wrong))


def test_what_a_secret_contains_is_a_secret_and_so_are_its_names() -> None:
    here = ref(Secret({"a": ["x"], "b": Secret("y")}))
    assert here.at("a", 0).found() == "[secret]"
    assert here.at("a", 0).text() == Known("x", here.at("a", 0))
    entries = here.entries()
    assert isinstance(entries, Known)
    assert {one.path for one in entries.value.values()} == {"p[secret]"}
    assert ref({"a": Secret("x")}).found() == '{"a": "[secret]"}'


def test_what_may_be_a_secret_is_hidden_and_not_taken_for_one() -> None:
    here = ref(Secret({"a": "x"}, marked=False)).at("a")
    assert (here.hidden, here.secret, here.found()) == (True, False, "[secret]")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, "nothing"),
        (UNKNOWN, "unknown until deployment"),
        (30.0, "30"),
        (0.5, "0.5"),
        ([UNKNOWN, Opaque("asset")], '["[unknown until deployment]", "[asset]"]'),
        ("x" * 500, '"' + "x" * 198 + "…"),
    ],
)
def test_what_was_found_is_shown_in_one_line(value: Value, found: str) -> None:
    assert ref(value).found() == found


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ('{"a": 1}', Known),
        ("[1]", Invalid),
        ("{", Invalid),
        ("[" * 50_000, Invalid),
        ("", Absent),
        ({"a": 1.0}, Known),
    ],
)
def test_a_document_is_an_object_or_json(value: Value, kind: type) -> None:
    assert isinstance(ref(value).document().at("a").number(), kind)


def test_a_requirement_is_met_or_says_what_is_wrong() -> None:
    def verdicts(value: Value) -> list[tuple[str, str]]:
        prop = ref(value).boolean()
        findings = prop.must(bool, problem="It is off.", required="true")
        return [(finding.verdict.value, finding.problem) for finding in findings]

    assert verdicts("true") == []
    assert verdicts("false") == verdicts(None) == [("violation", "It is off.")]
    assert verdicts("x") == [("violation", "`p` is not a boolean.")]
    ((verdict, problem),) = verdicts(UNKNOWN)
    assert verdict == "undecided"
    assert "`p` is unknown until deployment" in problem


def test_findings_can_be_made_of_places_and_of_readings() -> None:
    here = ref("x")
    assert here.violation("Wrong.", "y") == here.text().violation("Wrong.", "y")
    assert here.undecided("y").path == "p"
    assert Invalid(here, "a number").invalid("y").problem == "`p` is not a number."


values: st.SearchStrategy[Value] = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=5)
    | st.just(UNKNOWN)
    | st.just(Opaque("asset")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | inner.map(Secret)
    ),
)


@given(values, st.lists(st.text(max_size=3) | st.integers(0, 3), max_size=4))
def test_reading_never_raises_and_shows_one_line(value: Value, steps: list[str | int]) -> None:
    here = ref(value).at(*steps)
    for prop in (*all_readings(here), here.document().text()):
        assert prop.ref.found().isprintable() or prop.ref.found()
        assert "\n" not in prop.ref.found()
