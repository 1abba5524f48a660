"""The tables of metrics, and what statistics of them can come to."""

from __future__ import annotations

import pytest

from tap_guardrails.aws.metrics import KNOWN, lookup
from tap_guardrails.aws.metrics.metric import (
    STATISTICS,
    legal_statistic,
    sets,
)
from tap_guardrails.aws.metrics.namespaces import certain_slip, one_letter_apart, published, slip_of
from tap_guardrails.aws.tables import table


@pytest.mark.parametrize(
    "statistic", ["", "sum", "Median", "p", "p101", "p-1", "p99 ", "TM(10%)", "TM", "p1000"]
)
def test_a_statistic_that_cloudwatch_does_not_know(statistic: str) -> None:
    assert not legal_statistic(statistic)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("AWS/lambda", "AWS/Lambda"),
        ("aws/Lambda", "AWS/Lambda"),
        ("AWS/Lambdas", "AWS/Lambda"),
        ("AWS/Lamda", "AWS/Lambda"),
        ("AWS/Lmabda", "AWS/Lambda"),
        ("AWS/DynamoDb", "AWS/DynamoDB"),
        ("AWS/DyanmoDB", "AWS/DynamoDB"),
        ("AWS/DynamoDB2", None),
        ("AWS/DRS", None),
        ("AWS/EKS", None),
        ("AWS/SNSS", None),
        ("AWS/Lambda", None),
        ("AWS/SES", None),
        ("AWS/SomethingBrandNew", None),
        ("TapStack", None),
        ("lambda", None),
    ],
)
def test_a_slip_of_the_pen_is_told_from_a_new_namespace(written: str, meant: str | None) -> None:
    assert slip_of(written) == meant


def test_what_is_as_near_to_two_names_is_a_slip_of_neither() -> None:
    assert certain_slip("Connecto", ["Connects", "Connecta"]) is None
    assert certain_slip("CONNECTS", ["Connects", "Connect"]) == "Connects"


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("lambda", "lambda1", False),
        ("kinesis", "kinesi", True),
        ("kinesis", "kinseis", True),
        ("kinesis", "kineziz", False),
        ("kinesis", "inesiss", False),
        ("events", "evnets", True),
        ("lambda", "lambd", True),
        ("backup", "lookup", False),
    ],
)
def test_names_one_letter_apart(one: str, other: str, *, near: bool) -> None:
    assert one_letter_apart(one, other) is near
    assert one_letter_apart(other, one) is near


def test_the_tables_are_of_namespaces_that_exist() -> None:
    assert KNOWN.keys() <= published()
    assert lookup("AWS/Lambda", "Errors") is not None
    assert lookup("AWS/Lambda", "errors") is None
    assert lookup("TapStack", "Errors") is None


@pytest.mark.parametrize("namespace", table("metrics")["complete"])
def test_what_is_known_of_metrics_is_known_of_every_documented_one(namespace: str) -> None:
    entries: dict[str, str] = table("metrics")[namespace]
    documented = {
        name: set(sets(*dimensions.split(" | ")))
        for dimensions, names in entries.items()
        for name in names.split()
    }
    assert {name: set(metric.dimensions) for name, metric in KNOWN[namespace].items()} == documented


@pytest.mark.parametrize("namespace", sorted(KNOWN))
def test_every_metric_has_dimensions_a_range_and_statistics(namespace: str) -> None:
    for metric in KNOWN[namespace].values():
        assert metric.dimensions
        assert metric.sample.low <= metric.sample.high
        assert metric.statistics <= STATISTICS
        assert metric.suits("p99")
