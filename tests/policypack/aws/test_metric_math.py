"""Metric math in one world: as AWS documents it, and as plain arithmetic does it."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_guardrails.aws.alarms.metric_math import Calculator
from tap_guardrails.aws.alarms.syntax import Call, Chain, ExpressionError, Name, Number, RefusedError, parse
from tests.policypack.aws.test_alarm_syntax import expressions

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_guardrails.aws.alarms.metric_math import Points, Value
    from tap_guardrails.aws.alarms.syntax import Expression

MONDAY_NOON = 1_767_571_200 + 43_200


@dataclass
class Table:
    """A world written down as a table."""

    metrics: dict[str, Points]
    starts: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        length = len(next(iter(self.metrics.values())))
        self.starts = tuple(MONDAY_NOON + 60 * position for position in range(length))

    def metric(self, key: str) -> Points:
        return self.metrics[key]

    def outside(self, key: str) -> Points:
        return (float("upper" in key) * 10,) * len(self.starts)


def work_out(text: str, **metrics: Points) -> Value:
    calculator = Calculator(Table(metrics), sorted(metrics), dict.fromkeys(metrics, 60))
    return calculator.work_out(parse(text))


N = None


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("one < two", (0, 0, 1, 0)),
        ("one >= 30", (1, 0, 0, 0)),
        ("one > 15 AND two > 15", (1, 0, 0, 0)),
        ("one + two", (50, 20, 20, 0)),
        ("two - one", (-10, -20, 20, 0)),
        ("one / two", (1.5, N, 0, N)),
        ("two * 2", (40, N, 40, N)),
        ("2 ^ one", (2.0**30, 2.0**20, 1, 1)),
        ("FILL(two, 7)", (20, 7, 20, 7)),
        ("FILL(two, one)", (20, 20, 20, 0)),
        ("FILL(two, REPEAT)", (20, 20, 20, 20)),
        ("SUM([one, two])", (50, 20, 20, 0)),
        ("AVG([one, two])", (25, 10, 10, 0)),
        ("MIN([one, two])", (20, 0, 0, 0)),
        ("MAX([one, two])", (30, 20, 20, 0)),
        ("STDDEV([one, two])", (5, 10, 10, 0)),
        ("DATAPOINT_COUNT([one, two])", (2, 1, 2, 1)),
        ("one - AVG(one)", (17.5, 7.5, -12.5, -12.5)),
        ("one / MAX(one)", (1, 2 / 3, 0, 0)),
        ("two * DATAPOINT_COUNT(two)", (40, N, 40, N)),
        ("DIFF(one)", (N, -10, -20, 0)),
        ("DIFF(two)", (N, N, 0, N)),
        ("DIFF_TIME(two)", (N, N, 120, N)),
        ("RATE(one)", (N, -1 / 6, -1 / 3, 0)),
        ("RUNNING_SUM(two)", (20, N, 40, N)),
        ("ABS(two - one)", (10, 20, 20, 0)),
        ("CEIL(one / 7)", (5, 3, 0, 0)),
        ("FLOOR(one / 7)", (4, 2, 0, 0)),
        ("LOG10(one)", (math.log10(30), math.log10(20), N, N)),
        ("LOG(two)", (math.log(20), N, math.log(20), N)),
        ("-two", (-20, N, -20, N)),
        ("FIRST([one, two])", (30, 20, 0, 0)),
        ("LAST([one, two])", (20, N, 20, N)),
        ("FIRST(SORT([two, one], SUM, DESC))", (30, 20, 0, 0)),
        ("FIRST(SORT([one, two], SUM, ASC, 1))", (20, N, 20, N)),
        ("FIRST(SLICE([one, two], 1))", (20, N, 20, N)),
        ("FIRST(SLICE([one, two], 0, 1))", (30, 20, 0, 0)),
        ("one * METRIC_COUNT(METRICS())", (60, 40, 0, 0)),
        ("SUM(METRICS('tw'))", (20, N, 20, N)),
        ("SUM(100 / [one, two])", (100 / 30 + 5, 5, 5, N)),
        ("TIME_SERIES(5)", (5, 5, 5, 5)),
        ("two + TIME_SERIES(SUM(two))", (60, 40, 60, 40)),
        ("PERIOD(one) + one * 0", (60, 60, 60, 60)),
        ("MINUTE(one)", (0, 1, 2, 3)),
        ("HOUR(two) * 100 + DAY(two)", (1201, 1201, 1201, 1201)),
        ("DATE(one) + MONTH(one) * 100 + YEAR(one) * 10000", (20260105,) * 4),
        ("one > FIRST(ANOMALY_DETECTION_BAND(one, 2))", (1, 1, 0, 0)),
        ("SERVICE_QUOTA(one) + 1", (1, 1, 1, 1)),
    ],
)
def test_as_documented(text: str, result: Points) -> None:
    """The two series, and the first three results, are those of AWS's page."""
    found = work_out(text, one=(30.0, 20.0, 0.0, 0.0), two=(20.0, N, 20.0, N))
    assert isinstance(found, tuple)
    assert found == pytest.approx(result)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("IF(m1, m2, m3)", (30, 0, 20, N, N)),
        ("IF(m1, 5, m3)", (5, 5, 20, N, N)),
        ("IF(m1, m2, 5)", (30, 0, 5, 5, N)),
        ("IF(1, m2, m3)", (30, 0, 0, 0, 30)),
        ("IF(0, m2)", (N, N, N, N, N)),
        ("IF(m1, m2)", (30, 0, N, N, N)),
        ("IF(m1 > 0, 1, 0)", (1, 1, 0, 0, N)),
    ],
)
def test_if_as_documented(text: str, result: Points) -> None:
    m1, m2, m3 = (1.0, 1.0, 0.0, 0.0, N), (30.0, N, 0.0, 0.0, 30.0), (0.0, 0.0, 20.0, N, 20.0)
    assert work_out(text, m1=m1, m2=m2, m3=m3) == result


def test_arrays_stay_arrays() -> None:
    assert work_out("ABS([a, b]) * 2", a=(-1.0,), b=(3.0,)) == [(2.0,), (6.0,)]
    assert work_out("REMOVE_EMPTY([a, b])", a=(None,), b=(3.0,)) == [(3.0,)]
    assert work_out("DIFF(METRICS())", a=(1.0, 2.0), b=(3.0, None)) == [(None, 1.0), (None, None)]


@pytest.mark.parametrize(
    "text",
    [
        "no one", "NOBODY(a)", "SUM([])", "MAX(METRICS('z'))", "FILL(a, [])", "FILL(a, [a, b])", "SLICE([a])",
        "[a, b] + [a, b]", "IF([a, b], 1, 0)", "SORT(a, MEDIAN, ASC)", "SORT(a, SUM)", "SLICE([a], b)",
        "'text' + 1", "METRIC_COUNT(1)", "IF(a)", "IF(a, 1, 2, 3)", "PERIOD(a + b)", "FIRST([])",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        work_out(text, a=(1.0,), b=(2.0,))


@pytest.mark.parametrize(
    "text", ["SEARCH('x', 'Sum')", "SUM(SEARCH('x', 'Sum'))", "IF(SUM(SEARCH('x')) > 0, a)"]
)
def test_a_search_is_refused_by_cloudwatch(text: str) -> None:
    with pytest.raises(RefusedError):
        work_out(text, a=(1.0,))


PLAIN: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda one, other: one / other,
    "^": lambda one, other: one**other,
    "<": lambda one, other: float(one < other),
    ">=": lambda one, other: float(one >= other),
    "AND": lambda one, other: float(one != 0 and other != 0),
    "OR": lambda one, other: float(one != 0 or other != 0),
}


def plainly(tree: Expression, a: float, b: float) -> float:
    """Work an expression out as Python does."""
    match tree:
        case Number(value):
            return value
        case Name(value):
            return {"a": a, "b": b}[value]
        case Call("negative", (inner,)):
            return -plainly(inner, a, b)
        case Call("ABS", (inner,)):
            return abs(plainly(inner, a, b))
        case Chain(first, rest):
            result = plainly(first, a, b)
            for sign, operand in rest:
                result = PLAIN[sign](result, plainly(operand, a, b))
                if isinstance(result, complex) or not math.isfinite(result):
                    raise OverflowError
            return result
        case _:
            raise NotImplementedError


@given(expressions, st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_as_plain_arithmetic(tree: Expression, a: float, b: float) -> None:
    """Where each value is there; what has no value in between may be dropped or counted as zero."""
    try:
        wanted = plainly(tree, a, b)
    except (ArithmeticError, NotImplementedError):
        return
    calculator = Calculator(Table({"a": (a,), "b": (b,)}), ["a", "b"], {"a": 60, "b": 60})
    found = calculator.work_out(tree)
    value = found[0] if isinstance(found, tuple) else found
    assert value == pytest.approx(wanted, nan_ok=True)


points = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=3, max_size=3).map(tuple)


@given(expressions, points, points)
def test_any_expression_comes_to_finite_points(tree: Expression, a: Points, b: Points) -> None:
    calculator = Calculator(Table({"a": a, "b": b}), ["a", "b"], {"a": 60, "b": 60})
    try:
        found = calculator.work_out(tree)
    except ExpressionError:
        return
    if isinstance(found, tuple):
        assert len(found) == 3
        assert all(point is None or math.isfinite(point) for point in found)
