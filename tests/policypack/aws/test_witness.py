"""What worlds show of an alarm: it can fire, it rests, it covers one thing alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_guardrails.aws.alarms.syntax import ExpressionError, RefusedError
from tap_guardrails.aws.alarms.witness import covers, outcome
from tap_guardrails.aws.alarms.worlds import (
    GREATER,
    GREATER_OR_EQUAL,
    LESS,
    Machine,
    Plan,
    Situation,
    Source,
    statistic_of,
)

ERRORS, INVOCATIONS, DURATION, READS = (
    ("AWS/Lambda", "Errors", 0),
    ("AWS/Lambda", "Invocations", 0),
    ("AWS/Lambda", "Duration", 0),
    ("AWS/DynamoDB", "ReadThrottleEvents", 1),
)
SOURCES = (
    Source("e", ERRORS, "Sum", 60, float("inf")),
    Source("i", INVOCATIONS, "Sum", 60, float("inf")),
    Source("t", ("AWS/Lambda", "Throttles", 0), "Sum", 60, float("inf")),
    Source("d", DURATION, "Maximum", 60, 30_000),
    Source("r", READS, "Sum", 60, float("inf")),
    Source("w", ("AWS/DynamoDB", "WriteThrottleEvents", 1), "Sum", 60, float("inf")),
    Source("own", ("Own", "Level", 2), "Average", 60, float("inf")),
)


def plan(
    expression: str, operator: str = GREATER_OR_EQUAL, threshold: float = 1, missing: str = "missing", *,
    periods: int = 1, datapoints: int = 1, more: tuple[tuple[str, str], ...] = (),
) -> Plan:  # fmt: skip
    expressions = (*more, ("x", expression))
    return Plan(SOURCES, expressions, "x", operator, threshold, missing, periods, datapoints, 1_000_000)


NEVER, ALWAYS, RIGHT = (False, True), (True, False), (True, True)


@pytest.mark.parametrize(
    ("expression", "operator", "threshold", "shown"),
    [
        ("e", GREATER_OR_EQUAL, 1, RIGHT),
        ("e - e", GREATER_OR_EQUAL, 1, NEVER),
        ("e - i", GREATER_OR_EQUAL, 1, NEVER),
        ("e * 0", GREATER_OR_EQUAL, 1, NEVER),
        ("e == e", GREATER_OR_EQUAL, 1, ALWAYS),
        ("MAX([e, i]) - MAX([e, i])", GREATER_OR_EQUAL, 1, NEVER),
        ("MIN([e, i]) - i", GREATER_OR_EQUAL, 1, NEVER),
        ("ABS(e - e)", GREATER_OR_EQUAL, 1, NEVER),
        ("e / i", GREATER_OR_EQUAL, 5, NEVER),
        ("e / i", GREATER_OR_EQUAL, 1, RIGHT),
        ("e / i", GREATER, 1, NEVER),
        ("100 * e / i", GREATER, 99.5, RIGHT),
        ("(i - e) / i", LESS, 0, NEVER),
        ("(i - e) / i", LESS, 0.99, RIGHT),
        ("IF(i < 0, e, 0)", GREATER_OR_EQUAL, 1, NEVER),
        ("IF(HOUR(e) > 25, e, 0)", GREATER_OR_EQUAL, 1, NEVER),
        ("IF(HOUR(e) >= 9 AND DAY(e) < 6, e, 0)", GREATER_OR_EQUAL, 1, RIGHT),
        ("IF(MONTH(e) == 12, e)", GREATER_OR_EQUAL, 1, RIGHT),
        ("IF(MONTH(e) == 2 AND DATE(e) == 29, e)", GREATER_OR_EQUAL, 1, RIGHT),
        ("IF(MONTH(e) == 2 AND DATE(e) == 30, e)", GREATER_OR_EQUAL, 1, NEVER),
        ("IF(HOUR(e) == 3 AND MINUTE(e) == 31, e)", GREATER_OR_EQUAL, 1, RIGHT),
        ("FILL(e, 0) - FILL(e, 0)", GREATER_OR_EQUAL, 1, NEVER),
        ("FILL(r, 0) * FILL(w, 0)", GREATER_OR_EQUAL, 1, RIGHT),
        ("DIFF(e)", GREATER_OR_EQUAL, 5, RIGHT),
        ("DIFF(i - i)", GREATER_OR_EQUAL, 1, NEVER),
        ("RATE(e)", GREATER, 1000, RIGHT),
        ("e - MAX(e)", GREATER, 0, NEVER),
        ("e - AVG(e)", GREATER, 5, RIGHT),
        ("RUNNING_SUM(e)", GREATER, 100, RIGHT),
        ("own / 3", GREATER, 12345, RIGHT),
        ("own - own", GREATER, 0, NEVER),
        ("d", GREATER, 30_000, NEVER),
        ("d", GREATER, 29_999, RIGHT),
        ("e", GREATER, 1e12, NEVER),
        ("e % 2 == 0", GREATER, 0, None),
    ],
)
def test_whether_it_fires_and_rests(
    expression: str, operator: str, threshold: float, shown: tuple[bool, bool] | None
) -> None:
    if shown is None:
        with pytest.raises(ExpressionError):
            outcome(plan(expression, operator, threshold))
        return
    result = outcome(plan(expression, operator, threshold))
    assert (result.fires, result.rests) == shown


@pytest.mark.parametrize(
    ("expression", "operator", "threshold", "covered"),
    [
        ("e", GREATER, 5, True),
        ("e + t", GREATER, 5, True),
        ("e * t", GREATER, 0, False),
        ("MIN([e, t])", GREATER, 0, False),
        ("MAX([e, t])", GREATER, 0, True),
        ("i - e", GREATER_OR_EQUAL, 1, False),
        ("i - e", LESS, 1, True),
        ("e + i", GREATER, 5, False),
        ("IF(e > 0, 0, 1)", GREATER_OR_EQUAL, 1, False),
        ("IF(i > 100, e / i, 0)", GREATER, 0.05, True),
        ("100 - 100 * e / i", LESS, 99, True),
        ("DIFF(e)", GREATER, 3, True),
        ("own * e", GREATER, 3, True),
        ("IF(i == 500, 1, e * 0)", GREATER_OR_EQUAL, 1, False),
        ("own", GREATER, 3, False),
        ("e", LESS, 1, False),
    ],
)
def test_whether_it_covers_errors(expression: str, operator: str, threshold: float, *, covered: bool) -> None:
    assert covers(plan(expression, operator, threshold), ERRORS) is covered


@pytest.mark.parametrize(
    ("expression", "covered"),
    [("r + w", True), ("SUM([r, w])", True), ("r * w", False), ("MIN([r, w])", False), ("MAX([r, w])", True),
     ("r AND w", False), ("r OR w", True), ("FILL(r, 0) * FILL(w, 0)", False), ("w", False)],
)  # fmt: skip
def test_whether_it_covers_one_direction_alone(expression: str, *, covered: bool) -> None:
    assert covers(plan(expression, GREATER, 0), READS) is covered


def test_a_duration_is_covered_where_slow_means_more() -> None:
    assert covers(plan("d", GREATER, 20_000), DURATION)
    assert not covers(plan("d", LESS, 20_000), DURATION)
    assert not covers(plan("d", GREATER, 30_000), DURATION)


@pytest.mark.parametrize(
    "expression", ["SUM(e)", "METRICS()", "[e, i]", "5", "SUM(SEARCH('x', 'Sum'))", "AVG(e) > 1"]
)
def test_what_cloudwatch_does_not_take(expression: str) -> None:
    with pytest.raises(RefusedError):
        outcome(plan(expression))


@pytest.mark.parametrize(("first", "shown"), [("e", RIGHT), ("e - e", NEVER)])
def test_thirty_doubled_queries_answer_at_once(first: str, shown: tuple[bool, bool]) -> None:
    doubled = tuple((f"m{number}", f"m{number - 1} + m{number - 1}") for number in range(2, 32))
    result = outcome(plan("m31", more=(*reversed(doubled), ("m1", first))))
    assert (result.fires, result.rests) == shown


def test_a_chain_of_a_thousand_operators_is_followed() -> None:
    assert outcome(plan(" + ".join(["e"] * 1000))).fires


def test_a_circle_is_told() -> None:
    with pytest.raises(ExpressionError, match="refers to itself"):
        outcome(plan("a", more=(("a", "b + e"), ("b", "a"))))


@pytest.mark.parametrize(
    ("missing", "state"),
    [("missing", "INSUFFICIENT_DATA"), ("ignore", "OK"), ("breaching", "ALARM"), ("notBreaching", "OK")],
)
def test_what_silence_means(missing: str, state: str) -> None:
    assert Machine(plan("e", missing=missing)).state(Situation(1, silent=True)) == state


@pytest.mark.parametrize(
    ("statistic", "value"),
    [
        ("Sum", 3), ("SampleCount", 10), ("Average", 0.3), ("Minimum", 0), ("Maximum", 1), ("p50", 0),
        ("p90", 1), ("p99.9", 1), ("tm90", 0.3), ("TS(10%:90%)", 3), ("TC(:100)", 10), ("PR(0:1)", 30),
        ("IQM", 0.3),
    ],
)  # fmt: skip
def test_what_a_statistic_comes_to(statistic: str, value: float) -> None:
    assert statistic_of(statistic, 10, 0, 1, 3) == pytest.approx(value)


situations = st.builds(
    Situation,
    calls=st.integers(1, 10**6),
    failing=st.frozensets(st.sampled_from([source.variable for source in SOURCES])),
    failed=st.integers(0, 10**7),
    amount=st.floats(-1e9, 1e15),
    offset=st.integers(0, 100),
    stride=st.integers(0, 5),
)


@given(situations)
def test_no_world_is_one_that_aws_cannot_produce(situation: Situation) -> None:
    def value(expression: str) -> float | None:
        return Machine(plan(expression)).points(situation)[0]

    errors, calls, duration, reads = value("e"), value("i"), value("d"), value("r")
    assert errors is not None
    assert calls is not None
    assert duration is not None
    assert 0 <= errors <= calls
    assert errors == int(errors)
    assert 0 <= duration <= 30_000
    assert reads is None or (READS in situation.failing and reads >= 1)
    assert errors == 0 or ERRORS in situation.failing


@given(st.floats(0.5, 1e5), st.sampled_from([60, 300, 3600]), st.integers(1, 20), st.integers(1, 20))
def test_an_alarm_on_errors_covers_them_whatever_its_numbers(
    threshold: float, period: int, periods: int, datapoints: int
) -> None:
    one = Plan(
        (Source("", ERRORS, "Sum", period, float("inf")),), (), "", GREATER, threshold, "notBreaching",
        max(periods, datapoints), datapoints, 1_000_000,
    )  # fmt: skip
    assert covers(one, ERRORS)
    assert outcome(one).fires
