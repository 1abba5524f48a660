"""A metric as an alarm looks at it, whichever of its forms the alarm is written in."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from tap_guardrails.aws.metrics import lookup
from tap_guardrails.aws.resource_types import METRIC_ALARM
from tap_guardrails.model import Absent, Invalid, Known, PropertyRef, PropertyValue, Resource, Unknown
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from tap_guardrails.aws.metrics.metric import Metric

Dimensions: TypeAlias = dict[str, PropertyRef]


@record(eq=False)
class Series:
    """A metric with its dimensions, statistic and period.

    Attributes:
        namespace: Where the metric's namespace is said.
        name: Where its name is said.
        statistic: Where its statistic is said.
        extended: Where a percentile or the like is said, if the form has a property of its own for it.
        period: Where the length of a period is said, in seconds.
        unit: Where its unit is said.
        account: Where the account is said that it comes from.
        dimensions: The dimensions, as they were read; none set is known to be none.
    """

    namespace: PropertyRef
    name: PropertyRef
    statistic: PropertyRef
    extended: PropertyRef | None
    period: PropertyRef
    unit: PropertyRef
    account: PropertyRef
    dimensions: PropertyValue[Dimensions]

    def metric(self) -> Metric | None:
        """Return what is known of the metric, or None when it is not known which it is."""
        namespace, name = self.namespace.text(), self.name.text()
        if isinstance(namespace, Known) and isinstance(name, Known):
            return lookup(namespace.value, name.value)
        return None

    def statistic_name(self) -> PropertyValue[str]:
        """Read the statistic, plain or extended."""
        plain = self.statistic.text()
        if isinstance(plain, Absent) and self.extended is not None:
            extended = self.extended.text()
            return plain if isinstance(extended, Absent) else extended
        return plain


def flat_series(alarm: Resource) -> Series:
    """Read the metric of an alarm that has it in its own properties."""
    return Series(
        METRIC_ALARM.at(alarm, "namespace"),
        METRIC_ALARM.at(alarm, "metricName"),
        METRIC_ALARM.at(alarm, "statistic"),
        METRIC_ALARM.at(alarm, "extendedStatistic"),
        METRIC_ALARM.at(alarm, "period"),
        METRIC_ALARM.at(alarm, "unit"),
        METRIC_ALARM.at(alarm, "accountId"),
        read_dimensions(METRIC_ALARM.at(alarm, "dimensions")),
    )


def query_series(query: PropertyRef, *, native: bool) -> Series:
    """Read the metric of a metric query.

    Args:
        query: The query.
        native: Whether it is in the form of CloudFormation, which `aws-native` has.
    """
    holder = query.at("metricStat") if native else query.at("metric")
    metric = holder.at("metric") if native else holder
    return Series(
        metric.at("namespace"),
        metric.at("metricName"),
        holder.at("stat"),
        None,
        holder.at("period"),
        holder.at("unit"),
        query.at("accountId"),
        read_dimensions(metric.at("dimensions")),
    )


def read_dimensions(node: PropertyRef) -> PropertyValue[Dimensions]:
    """Read dimensions: an object of names and values, or a list of `{name, value}`."""
    fields = node.entries()
    if isinstance(fields, Absent):
        return Known({}, node)
    pairs = node.items()
    return listed_dimensions(pairs) if isinstance(pairs, Known) else fields


def listed_dimensions(pairs: Known[list[PropertyRef]]) -> PropertyValue[Dimensions]:
    """Read dimensions in the form of CloudFormation."""
    dimensions: Dimensions = {}
    for pair in pairs.value:
        match pair.at("name").text():
            case Known(name):
                dimensions[name] = pair.at("value")
            case Unknown() as reading:
                return reading
            case Absent(node):
                return Invalid(node, "the name of a dimension")
            case Invalid() as reading:
                return reading
    return Known(dimensions, pairs.node)
