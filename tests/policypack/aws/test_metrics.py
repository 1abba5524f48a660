"""The tables of metrics, and what statistics of them can come to."""

from __future__ import annotations

import pytest

from tap_guardrails.aws.metrics import KNOWN, lookup
from tap_guardrails.aws.metrics.metric import (
    STATISTICS,
    legal_statistic,
)
from tap_guardrails.aws.metrics.namespaces import PUBLISHED, slip_of


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
        ("AWS/DynamoDb", "AWS/DynamoDB"),
        ("AWS/Lambda", None),
        ("AWS/SES", None),
        ("AWS/SomethingBrandNew", None),
        ("TapStack", None),
        ("lambda", None),
    ],
)
def test_a_slip_of_the_pen_is_told_from_a_new_namespace(written: str, meant: str | None) -> None:
    assert slip_of(written) == meant


def test_the_tables_are_of_namespaces_that_exist() -> None:
    assert KNOWN.keys() <= PUBLISHED
    assert lookup("AWS/Lambda", "Errors") is not None
    assert lookup("AWS/Lambda", "errors") is None
    assert lookup("TapStack", "Errors") is None


@pytest.mark.parametrize("namespace", sorted(KNOWN))
def test_every_metric_has_dimensions_a_range_and_statistics(namespace: str) -> None:
    for metric in KNOWN[namespace].values():
        assert metric.dimensions
        assert metric.sample.low <= metric.sample.high
        assert metric.statistics <= STATISTICS
        assert metric.suits("p99")
