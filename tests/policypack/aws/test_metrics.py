"""The tables of metrics, and what statistics of them can come to."""

from __future__ import annotations

import pytest

from tap_guardrails.aws import table
from tap_guardrails.aws.alarms.metrics import (
    STATISTICS,
    certain_slip,
    known_metrics,
    legal_statistic,
    lookup,
    one_letter_apart,
    published,
    slip_of,
    suits,
)

BEHAVIOURS = table("metric_behaviours")


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


def test_what_is_known_is_of_namespaces_that_exist() -> None:
    assert BEHAVIOURS.keys() == set(table("metrics")["complete"]) <= published()
    assert lookup("AWS/Lambda", "Errors") is not None
    assert lookup("AWS/Lambda", "errors") is None
    assert lookup("AWS/ApiGateway", "5xx") is None
    assert lookup("TapStack", "Errors") is None


@pytest.mark.parametrize("namespace", sorted(BEHAVIOURS))
def test_how_a_metric_behaves_is_said_once_of_every_documented_one(namespace: str) -> None:
    documented = [name for names in table("metrics")[namespace].values() for name in names.split()]
    assert sorted(name for group in BEHAVIOURS[namespace] for name in group["names"].split()) == sorted(
        documented
    )


@pytest.mark.parametrize("namespace", sorted(BEHAVIOURS))
def test_every_metric_has_dimensions_a_range_and_statistics(namespace: str) -> None:
    metrics = known_metrics(namespace)
    assert metrics
    for metric in metrics.values():
        assert metric.dimensions
        assert metric.behaviour.unit
        assert metric.behaviour.sample.low <= metric.behaviour.sample.high
        assert metric.behaviour.statistics <= STATISTICS
        assert suits(metric, "p99")
