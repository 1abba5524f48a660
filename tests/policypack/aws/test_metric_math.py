"""Metric math: what is read, what it can come to, and what pulls it which way."""

from __future__ import annotations

import math
import string
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tap_guardrails.aws.expressions.meaning import DOWN, EITHER, UP, Evaluator, Quantity
from tap_guardrails.aws.expressions.scanner import ExpressionError
from tap_guardrails.aws.expressions.syntax import Call, Name, Number, Text, parse
from tap_guardrails.aws.metrics.metric import INFINITY, Range

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_guardrails.aws.expressions.meaning import Result
    from tap_guardrails.aws.expressions.syntax import Expression

RANGES = {"a": Range(0, 1), "b": Range(1, 5), "c": Range(-3, 4), "z": Range(0)}


def evaluator() -> Evaluator:
    def giver(key: str) -> Callable[[], Result]:
        return lambda: (Quantity(RANGES[key], {key: UP}),)

    return Evaluator({key: giver(key) for key in RANGES}, sorted(RANGES))


def work_out(text: str) -> Quantity:
    (result,) = evaluator().work_out(parse(text))
    return result


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1 + 2 * 3", Call("+", (Number(1), Call("*", (Number(2), Number(3)))))),
        ("1 - 2 - 3", Call("-", (Call("-", (Number(1), Number(2))), Number(3)))),
        ("(1 - 2) ^ 3", Call("^", (Call("-", (Number(1), Number(2))), Number(3)))),
        ("-m1", Call("negative", (Name("m1"),))),
        ("sum([m1, m2])", Call("SUM", (Call("[", (Name("m1"), Name("m2"))),))),
        ("METRICS('er')", Call("METRICS", (Text("er"),))),
        ("IF(m1 >= 1 AND m2 < .5, 1e3, 0)", None),
        ("a OR b || c && d", None),
        ("()", Call("[", ())),
        ("(a, b)", Call("[", (Name("a"), Name("b")))),
    ],
)
def test_an_expression_is_read(text: str, tree: Expression | None) -> None:
    assert tree is None or parse(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "",
        "m1 +",
        "SUM(",
        "SUM(a",
        "a b",
        "#",
        "1e999",
        "9" * 400,
        ")",
        "[a",
        "(" * 60 + "a" + ")" * 60,
        "-" * 60 + "a",
        "a,",
    ],
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


@given(st.text(alphabet=string.printable + "é\u0000", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ExpressionError):
        evaluator().work_out(parse(text))


@pytest.mark.parametrize(
    ("text", "low", "high", "influences"),
    [
        ("a", 0, 1, {"a": UP}),
        ("a + b", 0, 6, {"a": UP, "b": UP}),
        ("a - b", -5, 1, {"a": UP, "b": DOWN}),
        ("a - a", -1, 1, {"a": EITHER}),
        ("-a", -1, 0, {"a": DOWN}),
        ("a * 0", 0, 0, {}),
        ("a * -2", -2, 0, {"a": DOWN}),
        ("3 * b", 0, 15, {"b": UP}),
        ("a * b", 0, 5, {"a": UP, "b": UP}),
        ("a * c", -INFINITY, INFINITY, {"a": EITHER, "c": EITHER}),
        ("a / 2", 0, 0.5, {"a": UP}),
        ("a / b", 0, INFINITY, {"a": UP, "b": DOWN}),
        ("FILL(b, 1) / FILL(b, 1)", 0.2, 5, {"b": EITHER}),
        ("a / c", -INFINITY, INFINITY, {"a": EITHER, "c": EITHER}),
        ("a / 0", 0, INFINITY, {"a": UP}),
        ("b ^ 2", 0, INFINITY, {"b": UP}),
        ("b ^ c", -INFINITY, INFINITY, {"b": EITHER, "c": EITHER}),
        ("SUM([a, b])", 0, 6, {"a": UP, "b": UP}),
        ("SUM(METRICS())", -3, INFINITY, {"a": UP, "b": UP, "c": UP, "z": UP}),
        ("SUM(METRICS('b'))", 0, 5, {"b": UP}),
        ("MAX([a, b])", 0, 5, {"a": UP, "b": UP}),
        ("CEIL(b)", 1, 5, {"b": UP}),
        ("ABS(a - b)", -INFINITY, INFINITY, {"a": EITHER, "b": EITHER}),
        ("ABS(a)", 0, INFINITY, {"a": EITHER}),
        ("a > b", 0, 1, {"a": EITHER, "b": EITHER}),
        ("IF(a > 0.5, b, 0)", 0, 5, {"a": EITHER, "b": UP}),
        ("IF(a > 0.5)", 0, 0, {"a": EITHER}),
        ("b / PERIOD(b)", 0, INFINITY, {"b": EITHER}),
        ("RATE(b)", -INFINITY, INFINITY, {"b": EITHER}),
        ("FILL(b, 0)", 0, 5, {"b": UP}),
        ("FILL(b, REPEAT)", 1, 5, {"b": UP}),
        ("ANOMALY_DETECTION_BAND(b, 2)", -INFINITY, INFINITY, {"b": EITHER}),
        ("SEARCH('{AWS/Lambda} Errors', 'Sum')", -INFINITY, INFINITY, {}),
        ("[a, b] + [a, b]", -INFINITY, INFINITY, {"a": EITHER, "b": EITHER}),
        ("SUM(100 * [a, b])", 0, 600, {"a": UP, "b": UP}),
        ("SUM([a, b] / 2)", 0, 3, {"a": UP, "b": UP}),
    ],
)
def test_what_an_expression_comes_to(text: str, low: float, high: float, influences: dict[str, int]) -> None:
    result = work_out(text)
    assert (result.values, dict(result.influences)) == (Range(low, high), influences)


@pytest.mark.parametrize(
    ("text", "silent"),
    [("b", True), ("b + b", True), ("FILL(b, 0)", False), ("FILL(b, 0) + b", False), ("1", False)],
)
def test_what_has_no_value_while_its_metrics_are_silent(text: str, *, silent: bool) -> None:
    assert work_out(text).silent is silent


@pytest.mark.parametrize("text", ["nobody", "SUM([])", "MAX([])", "FILL(a, [])"])
def test_an_expression_over_nothing_is_refused(text: str) -> None:
    if text == "SUM([])":
        assert work_out(text).values == Range(0, 0)
        return
    with pytest.raises(ExpressionError):
        work_out(text)


def leaves() -> st.SearchStrategy[str]:
    numbers = st.integers(-4, 4).map(lambda number: f"({number})" if number < 0 else str(number))
    return st.sampled_from(["a", "b", "c"]) | numbers


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, inner)
    operators = st.sampled_from(["+", "-", "*", "/"])
    return (
        st.tuples(inner, operators, inner).map(lambda one: f"({one[0]} {one[1]} {one[2]})")
        | inner.map(lambda one: f"-({one})")
        | st.tuples(st.sampled_from(["SUM", "MAX", "MIN", "AVG"]), pairs).map(
            lambda one: f"{one[0]}([{one[1][0]}, {one[1][1]}])"
        )
    )


def concrete(tree: Expression, metrics: dict[str, float]) -> float:
    """Work out an expression as CloudWatch does, at one moment."""
    match tree:
        case Number(value):
            return value
        case Name(name):
            return metrics[name]
        case Call("negative", (one,)):
            return -concrete(one, metrics)
        case Call(("SUM" | "MAX" | "MIN" | "AVG") as function, (Call("[", items),)):
            values = [concrete(item, metrics) for item in items]
            return {
                "SUM": sum(values),
                "MAX": max(values),
                "MIN": min(values),
                "AVG": sum(values) / len(values),
            }[function]
        case Call(operator, (left, right)):
            return arithmetic(operator, concrete(left, metrics), concrete(right, metrics))
        case _:
            raise AssertionError(tree)


def arithmetic(operator: str, left: float, right: float) -> float:
    if operator == "/":
        return left / right if right else math.nan
    return {"+": left + right, "-": left - right, "*": left * right}[operator]


def moments() -> st.SearchStrategy[dict[str, float]]:
    return st.fixed_dictionaries(
        {key: st.floats(RANGES[key].low, RANGES[key].high) for key in ("a", "b", "c")}
    )


expressions = st.recursive(leaves(), grown, max_leaves=8)


@given(expressions, moments())
def test_no_value_lies_outside_of_what_was_foretold(text: str, metrics: dict[str, float]) -> None:
    value = concrete(parse(text), metrics)
    assume(math.isfinite(value))
    values = work_out(text).values
    slack = 1e-6 * max(1, abs(value))
    assert values.low - slack <= value <= values.high + slack


@given(expressions, moments(), st.sampled_from(["a", "b", "c"]), st.floats(0, 1))
def test_a_metric_pulls_only_where_it_is_said_to(
    text: str, metrics: dict[str, float], name: str, share: float
) -> None:
    tree = parse(text)
    more = metrics[name] + share * (RANGES[name].high - metrics[name])
    before, after = concrete(tree, metrics), concrete(tree, {**metrics, name: more})
    assume(math.isfinite(before) and math.isfinite(after))
    sign = work_out(text).influences.get(name)
    slack = 1e-6 * max(1, abs(before), abs(after))
    if sign is None:
        assert abs(after - before) <= slack
    elif sign == UP:
        assert after >= before - slack
    elif sign == DOWN:
        assert after <= before + slack
