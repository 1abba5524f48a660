"""Whether AWS sends the metrics that an alarm looks at: namespace, name, dimensions, unit and statistic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.aws import METRIC_ALARM
from tap_guardrails.aws.metrics import (
    STATISTICS,
    Metric,
    certain_slip,
    is_aws,
    known_metrics,
    legal_statistic,
    lookup,
    published,
    slip_of,
    suits,
)
from tap_guardrails.aws.sub_resources import own_region, region_of
from tap_guardrails.model import (
    Absent,
    Finding,
    Invalid,
    Known,
    PropertyRef,
    PropertyValue,
    Resource,
    Unknown,
    invalid,
    must,
    not_known,
    undecided,
    violation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_guardrails.aws.alarms import More
    from tap_guardrails.aws.alarms.alarm import Series

GLOBAL_REGION: Final = "us-east-1"
GLOBAL_NAMESPACES: Final = frozenset({"AWS/Billing", "AWS/CloudFront", "AWS/Route53"})
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/programming-cloudwatch-metrics.html and
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-cloudwatch.html"""

A_STATISTIC: Final = f"one of {', '.join(sorted(STATISTICS))}, or an extended statistic such as p99"


def identity_findings(series: Series, alarm: Resource, more: More) -> Iterator[Finding]:
    """Say why a metric has no data.

    Args:
        series: The metric as the alarm looks at it.
        alarm: The alarm.
        more: What to take for emitted besides what is known.
    """
    namespace, name = series.namespace, series.name
    yield from namespace_findings(namespace, more)
    yield from must(name, bool, problem="The alarm names no metric.", required="the name of a metric")
    if isinstance(namespace, Known) and namespace.value in GLOBAL_NAMESPACES:
        yield from region_findings(namespace, alarm)
    known = known_metrics(namespace.value) if isinstance(namespace, Known) else None
    if known is not None and isinstance(namespace, Known) and isinstance(name, Known):
        if name.value in known:
            yield from metric_findings(series, known[name.value])
        elif f"{namespace.value}:{name.value}" not in more.metrics:
            yield name_finding(name, namespace.value, known)
    yield from dimension_findings(series)
    yield from statistic_findings(series)


def region_findings(namespace: Known[str], alarm: Resource) -> Iterator[Finding]:
    """Say that an alarm is not where AWS sends a metric of the whole world."""
    if own_region(alarm) is None:
        yield undecided(METRIC_ALARM.at(alarm, "region"), GLOBAL_REGION)
    elif region_of(alarm) not in {"", GLOBAL_REGION}:
        yield violation(
            namespace,
            f"AWS sends the metrics of this namespace to {GLOBAL_REGION} only, so the alarm never has data.",
            f"an alarm in {GLOBAL_REGION}",
        )


def namespace_findings(namespace: PropertyValue[str], more: More) -> Iterator[Finding]:
    """Say why a namespace has no metrics, or that it is not known whether it has."""
    required = "the namespace of the metric"
    match namespace:
        case Known(name) if name in published() or name in more.namespaces or not is_aws(name):
            return
        case Known(name):
            meant = slip_of(name)
            if meant is not None:
                proposal = required if namespace.node.hidden else f'"{meant}"'
                yield violation(namespace, "No such namespace has metrics.", proposal)
            else:
                yield not_known(namespace, "namespace", required, "moreNamespaces")
        case _:
            yield from must(namespace, bool, problem="The alarm names no namespace.", required=required)


def name_finding(name: Known[str], namespace: str, known: Mapping[str, Metric]) -> Finding:
    """Say that a metric is not one of those that are known in its namespace."""
    meant = certain_slip(name.value, known)
    if meant is None:
        return not_known(name, "metric", f"a metric that AWS emits in {namespace}", "moreMetrics")
    return violation(
        name,
        "AWS emits no metric of this name in this namespace.",
        f"a metric that AWS emits in {namespace}" if name.node.hidden else f'"{meant}"',
    )


def metric_findings(series: Series, metric: Metric) -> Iterator[Finding]:
    """Say why a metric that AWS emits has no data as the alarm asks for it."""
    if isinstance(series.dimensions, Known) and not sent_with(
        metric, series, frozenset(series.dimensions.value)
    ):
        sets = sorted("{" + ", ".join(sorted(one)) + "}" for one in metric.dimensions)
        yield violation(
            series.dimensions,
            "AWS does not emit this metric with these dimensions, so the alarm never has data.",
            f"exactly the dimensions {' or '.join(sets)}",
        )
    behaviour = metric.behaviour
    if not isinstance(series.unit, Absent) and behaviour.unit:
        yield from must(
            series.unit,
            lambda value: value == behaviour.unit,
            problem="AWS does not emit this metric in this unit, so the alarm never has data.",
            required=f'nothing, or "{behaviour.unit}"',
        )
    if isinstance(series.statistic, Known) and not suits(metric, series.statistic.value):
        yield violation(
            series.statistic,
            "The statistic does not say what the metric counts.",
            f"one of {', '.join(sorted(behaviour.statistics))}",
        )


def sent_with(metric: Metric, series: Series, names: frozenset[str]) -> bool:
    """Tell whether AWS sends a metric with these dimensions, or with more where a query takes them in."""
    return any(names <= one for one in metric.dimensions) if series.loose else names in metric.dimensions


def dimension_findings(series: Series) -> Iterator[Finding]:
    """Say which dimensions cannot be read; a value that is not known yet is still one."""
    match series.dimensions:
        case Unknown() as reading:
            yield undecided(reading, "dimensions whose names are known")
        case Invalid() as reading:
            yield invalid(reading, "an object of names and values")
        case Known(dimensions):
            for node in dimensions.values():
                yield from value_findings(node)
        case Absent():
            pass


def value_findings(node: PropertyRef) -> Iterator[Finding]:
    """Say why the value of a dimension is none."""
    reading = node.text()
    if isinstance(reading, Absent):
        yield violation(reading, "The dimension has no value.", "the name of what the metric is about")
    elif isinstance(reading, Invalid):
        yield invalid(reading, "the name of what the metric is about")


def statistic_findings(series: Series) -> Iterator[Finding]:
    """Say why CloudWatch refuses the statistic."""
    if series.two_statistics is not None:
        problem = "The alarm has both a statistic and an extended statistic."
        yield violation(series.two_statistics, problem, "one of the two")
        return
    yield from must(
        series.statistic,
        legal_statistic,
        problem="The alarm has no statistic that CloudWatch knows.",
        required=A_STATISTIC,
    )


def known_metric(series: Series) -> Metric | None:
    """Return what is known of the metric, or None when it is not known which it is."""
    if isinstance(series.namespace, Known) and isinstance(series.name, Known):
        return lookup(series.namespace.value, series.name.value)
    return None
