"""Whether a metric is one that AWS emits: its namespace, name, dimensions, unit and statistic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.metrics import KNOWN
from tap_guardrails.aws.metrics.metric import STATISTICS, legal_statistic
from tap_guardrails.aws.metrics.namespaces import slip_of
from tap_guardrails.model import (
    Absent,
    Finding,
    Invalid,
    Known,
    PropertyRef,
    PropertyValue,
    Unknown,
    invalid,
    must,
    undecided,
    violation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_guardrails.aws.alarms.series import Series
    from tap_guardrails.aws.metrics.metric import Metric

A_STATISTIC: Final = f"one of {', '.join(sorted(STATISTICS))}, or an extended statistic such as p99"


def identity_findings(series: Series, more_metrics: frozenset[str]) -> Iterator[Finding]:
    """Say why a metric has no data.

    Args:
        series: The metric as the alarm looks at it.
        more_metrics: Metrics to take for emitted, as `namespace:name`.
    """
    namespace, name = series.namespace.text(), series.name.text()
    yield from must(
        namespace,
        lambda value: slip_of(value) is None,
        problem="No such namespace has metrics.",
        required=proposal(namespace),
    )
    yield from must(name, bool, problem="The alarm names no metric.", required="the name of a metric")
    known = KNOWN.get(namespace.value) if isinstance(namespace, Known) else None
    if known is not None and isinstance(name, Known):
        added = isinstance(namespace, Known) and f"{namespace.value}:{name.value}" in more_metrics
        if name.value in known:
            yield from metric_findings(series, known[name.value])
        elif not added:
            yield violation(
                name,
                "AWS emits no metric of this name in this namespace.",
                f"one of {', '.join(sorted(known))}",
            )
    yield from legible_dimensions(series)
    yield from statistic_findings(series)


def proposal(namespace: PropertyValue[str]) -> str:
    """Say which namespace was probably meant."""
    meant = slip_of(namespace.value) if isinstance(namespace, Known) and not namespace.node.hidden else None
    return f'"{meant}"' if meant else "the namespace of the metric"


def metric_findings(series: Series, metric: Metric) -> Iterator[Finding]:
    """Say why a metric that AWS emits has no data as the alarm asks for it."""
    if isinstance(series.dimensions, Known) and frozenset(series.dimensions.value) not in metric.dimensions:
        sets = sorted("{" + ", ".join(sorted(one)) + "}" for one in metric.dimensions)
        yield violation(
            series.dimensions,
            "AWS does not emit this metric with these dimensions, so the alarm never has data.",
            f"exactly the dimensions {' or '.join(sets)}",
        )
    unit = series.unit.text()
    if not isinstance(unit, Absent):
        yield from must(
            unit,
            lambda value: value == metric.unit,
            problem="AWS does not emit this metric in this unit, so the alarm never has data.",
            required=f'nothing, or "{metric.unit}"',
        )
    statistic = series.statistic_name()
    if isinstance(statistic, Known) and not metric.suits(statistic.value):
        yield violation(
            statistic,
            "The statistic does not say what the metric counts.",
            f"one of {', '.join(sorted(metric.statistics))}",
        )


def legible_dimensions(series: Series) -> Iterator[Finding]:
    """Say which dimensions cannot be read; a value that is not known yet is still one."""
    match series.dimensions:
        case Unknown() as reading:
            yield undecided(reading, "dimensions whose names are known")
        case Invalid() as reading:
            yield invalid(reading, "an object of names and values")
        case Known(dimensions):
            for node in dimensions.values():
                yield from legible_value(node)
        case Absent():
            pass


def legible_value(node: PropertyRef) -> Iterator[Finding]:
    """Say why the value of a dimension is none."""
    reading = node.text()
    if isinstance(reading, Absent):
        yield violation(reading, "The dimension has no value.", "the name of what the metric is about")
    elif isinstance(reading, Invalid):
        yield invalid(reading, "the name of what the metric is about")


def statistic_findings(series: Series) -> Iterator[Finding]:
    """Say why CloudWatch refuses the statistic."""
    plain, extended = series.statistic.text(), series.extended.text() if series.extended else None
    if extended is not None and not isinstance(extended, Absent) and not isinstance(plain, Absent):
        yield violation(
            extended, "The alarm has both a statistic and an extended statistic.", "one of the two"
        )
        return
    yield from must(
        series.statistic_name(),
        legal_statistic,
        problem="The alarm has no statistic that CloudWatch knows.",
        required=A_STATISTIC,
    )
