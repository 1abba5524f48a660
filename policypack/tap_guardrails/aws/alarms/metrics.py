"""The metrics that AWS sends: where, with which dimensions, how each behaves, and what an alarm asks of them.

Names, dimensions and behaviour are generated (`tables/metrics.json`, `tables/metric_behaviours.json`).
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tap_guardrails.aws import METRIC_ALARM, table
from tap_guardrails.aws.sub_resources import own_region, region_of
from tap_guardrails.model import Finding, Known, PropertyValue, Resource, Settings
from tap_guardrails.model.values import record

if TYPE_CHECKING:
    from tap_guardrails.aws.alarms.alarm import Series


class Range(NamedTuple):
    """The values that something can take, both ends included."""

    low: float = -math.inf
    high: float = math.inf


NOUGHT_OR_ONE: Final = Range(0, 1)
ONE: Final = Range(1, 1)

STATISTICS: Final = frozenset[str](table("cloudwatch")["statistics"])
UNITS: Final = frozenset[str](table("cloudwatch")["units"])
WITHOUT_SAMPLE_COUNT: Final = STATISTICS - {"SampleCount"}

EXTENDED_STATISTIC: Final = re.compile(
    r"(?P<name>p|tm|tc|ts|wm)(100|\d{1,2}(\.\d{1,10})?)"
    r"|(?P<trimmed>TM|TC|TS|WM|PR)\((\d+(\.\d+)?%?)?:(\d+(\.\d+)?%?)?\)"
    r"|(?P<middle>IQM)",
    re.IGNORECASE,
)
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html"""

OF_EVENTS: Final = frozenset({"Average", "Sum", "Maximum"})


@record
class Behaviour:
    """How a metric behaves.

    Attributes:
        unit: Its unit, the only one that has data; empty when it is not known.
        sample: The values of a single sample.
        sparse: Whether AWS sends it only when there is something to tell, so that no data is the good news.
        statistics: The statistics, other than extended ones, that say something about what the metric counts.
    """

    unit: str = ""
    sample: Range = Range()
    sparse: bool = False
    statistics: frozenset[str] = WITHOUT_SAMPLE_COUNT


@record
class Metric:
    """A metric that AWS sends.

    Attributes:
        dimensions: The sets of dimensions that it is sent with; others have no data.
    """

    dimensions: tuple[frozenset[str], ...]
    behaviour: Behaviour


AWS_PREFIX: Final = "AWS/"
"""What AWS keeps for itself: no one else can publish into such a namespace.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

LONG: Final = 6
"""Letters from which on a name that is one letter away from a known one is a slip of it: `RDS` and `DRS` are
two services, `Lamda` is none."""


@functools.cache
def known_metrics(namespace: str) -> Mapping[str, Metric] | None:
    """Return the metrics of a namespace by name; None where not all of them are known."""
    published = table("metrics")
    if namespace not in published["complete"]:
        return None
    behaviours = {
        name: behaviour_in(group)
        for group in table("metric_behaviours").get(namespace, ())
        for name in group["names"].split()
    }
    return {
        name: Metric(sets_in(dimensions), behaviours.get(name, Behaviour()))
        for dimensions, names in published[namespace].items()
        for name in names.split()
    }


def behaviour_in(group: Mapping[str, Any]) -> Behaviour:
    """Return the behaviour that a group of the table has."""
    statistics = frozenset(group["statistics"].split()) if "statistics" in group else WITHOUT_SAMPLE_COUNT
    sample = Range(group["low"], group.get("high", math.inf))
    return Behaviour(group["unit"], sample, group.get("sparse", False), statistics)


def lookup(namespace: str, name: str) -> Metric | None:
    """Return a metric, or None when the pack does not know it."""
    metrics = known_metrics(namespace)
    return metrics.get(name) if metrics is not None else None


def suits(metric: Metric, statistic: str) -> bool:
    """Tell whether a statistic says something about what a metric counts."""
    return statistic not in STATISTICS or statistic in metric.behaviour.statistics


def legal_statistic(statistic: str) -> bool:
    """Tell whether CloudWatch knows a statistic, extended or not."""
    return statistic in STATISTICS or EXTENDED_STATISTIC.fullmatch(statistic) is not None


def sets_in(text: str) -> tuple[frozenset[str], ...]:
    """Return the sets of dimensions that the table writes: `a,b | a`; an empty one is no dimension."""
    return tuple(frozenset(filter(None, names.split(","))) for names in text.split(" | "))


@functools.cache
def published() -> frozenset[str]:
    """Return the namespaces that AWS is known to publish metrics in."""
    return frozenset(name for name in table("metrics") if name.startswith(AWS_PREFIX))


def is_aws(namespace: str) -> bool:
    """Tell whether a namespace is of those that only AWS publishes in, however its prefix is written."""
    return namespace.lower().startswith(AWS_PREFIX.lower())


@functools.cache
def slip_of(namespace: str) -> str | None:
    """Return the namespace that a name certainly is a slip of: `AWS/Lambda` for `AWS/lambda`, `AWS/Lamda`."""
    if namespace in published() or not is_aws(namespace):
        return None
    meant = certain_slip(namespace[len(AWS_PREFIX) :], (name[len(AWS_PREFIX) :] for name in published()))
    return AWS_PREFIX + meant if meant is not None else None


def certain_slip(given: str, known: Iterable[str]) -> str | None:
    """Return the known name that another one certainly is a slip of.

    It is one when only the capitals differ, or one letter in a long name, and no other known name is as near.
    What differs in a digit is another generation of the same thing.
    """
    lower = given.lower()
    names = list(known)
    capitals = [name for name in names if name.lower() == lower]
    near = capitals or [name for name in names if one_letter_apart(lower, name.lower())]
    return near[0] if len(near) == 1 else None


def one_letter_apart(one: str, other: str) -> bool:
    """Tell whether a long name becomes another by adding, leaving out, changing or swapping one letter."""
    short, long = sorted((len(one), len(other)))
    if long < LONG or long - short > 1:
        return False
    pairs = enumerate(zip(one, other, strict=False))
    start = next((at for at, (ours, theirs) in pairs if ours != theirs), short)
    ours, theirs = one[start:], other[start:]
    swapped = len(ours) == len(theirs) and ours[1::-1] == theirs[:2] and ours[2:] == theirs[2:]
    edits = ((ours[1:], theirs), (ours, theirs[1:]), (ours[1:], theirs[1:]))
    digits = any(character.isdigit() for character in ours[:1] + theirs[:1])
    return not digits and (swapped or any(rest == wanted for rest, wanted in edits))


GLOBAL_REGION: Final = "us-east-1"
GLOBAL_NAMESPACES: Final = frozenset({"AWS/Billing", "AWS/CloudFront", "AWS/Route53"})
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/programming-cloudwatch-metrics.html and
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-cloudwatch.html"""

A_STATISTIC: Final = f"one of {', '.join(sorted(STATISTICS))}, or an extended statistic such as p99"


def identity_findings(series: Series, alarm: Resource, settings: Settings) -> Iterator[Finding]:
    """Say why a metric has no data."""
    namespace, name = series.namespace, series.name
    yield from namespace_findings(namespace, settings)
    yield from name.must(bool, problem="The alarm names no metric.", required="the name of a metric")
    if namespace.value in GLOBAL_NAMESPACES:
        yield from region_findings(namespace, alarm)
    known = known_metrics(namespace.value) if isinstance(namespace, Known) else None
    if known is not None and isinstance(namespace, Known) and isinstance(name, Known):
        if name.value in known:
            yield from metric_findings(series, known[name.value])
        elif f"{namespace.value}:{name.value}" not in settings.strings("moreMetrics"):
            yield name_finding(name, namespace.value, known)
    metric = known_metric(series)
    if not series.unit.absent and not (metric and metric.behaviour.unit):
        required = f"nothing, or one of {', '.join(sorted(UNITS))}"
        problem = "CloudWatch knows no such unit."
        yield from series.unit.must(lambda value: value in UNITS, problem=problem, required=required)
    yield from dimension_findings(series)
    yield from statistic_findings(series)


def region_findings(namespace: PropertyValue[str], alarm: Resource) -> Iterator[Finding]:
    """Say that an alarm is not where AWS sends a metric of the whole world."""
    if own_region(alarm) is None:
        yield METRIC_ALARM.at(alarm, "region").undecided(GLOBAL_REGION)
    elif region_of(alarm) not in {"", GLOBAL_REGION}:
        yield namespace.violation(
            f"AWS sends the metrics of this namespace to {GLOBAL_REGION} only, so the alarm never has data.",
            f"an alarm in {GLOBAL_REGION}",
        )


def namespace_findings(namespace: PropertyValue[str], settings: Settings) -> Iterator[Finding]:
    """Say why a namespace has no metrics, or that it is not known whether it has."""
    required = "the namespace of the metric"
    more = {one.partition(":")[0] for one in settings.strings("moreMetrics")}
    more.update(settings.strings("moreNamespaces"))
    match namespace:
        case Known(name) if name in published() or name in more or not is_aws(name):
            return
        case Known(name):
            meant = slip_of(name)
            if meant is not None:
                proposal = required if namespace.ref.hidden else f'"{meant}"'
                yield namespace.violation("No such namespace has metrics.", proposal)
            else:
                yield namespace.ref.not_known("namespace", required, "moreNamespaces")
        case _:
            yield from namespace.must(bool, problem="The alarm names no namespace.", required=required)


def name_finding(name: Known[str], namespace: str, known: Mapping[str, Metric]) -> Finding:
    """Say that a metric is not one of those that are known in its namespace."""
    meant = certain_slip(name.value, known)
    if meant is None:
        return name.ref.not_known("metric", f"a metric that AWS emits in {namespace}", "moreMetrics")
    return name.violation(
        "AWS emits no metric of this name in this namespace.",
        f"a metric that AWS emits in {namespace}" if name.ref.hidden else f'"{meant}"',
    )


def metric_findings(series: Series, metric: Metric) -> Iterator[Finding]:
    """Say why a metric that AWS emits has no data as the alarm asks for it."""
    names = frozenset(series.dimensions.value or ())
    # A query may take in more dimensions than it names.
    sent = any(names <= one if series.loose else names == one for one in metric.dimensions)
    if isinstance(series.dimensions, Known) and not sent:
        sets = sorted("{" + ", ".join(sorted(one)) + "}" for one in metric.dimensions)
        yield series.dimensions.violation(
            "AWS does not emit this metric with these dimensions, so the alarm never has data.",
            f"exactly the dimensions {' or '.join(sets)}",
        )
    behaviour = metric.behaviour
    if not series.unit.absent and behaviour.unit:
        yield from series.unit.must(
            lambda value: value == behaviour.unit,
            problem="AWS does not emit this metric in this unit, so the alarm never has data.",
            required=f'nothing, or "{behaviour.unit}"',
        )
    if isinstance(series.statistic, Known) and not suits(metric, series.statistic.value):
        yield series.statistic.violation(
            "The statistic does not say what the metric counts.",
            f"one of {', '.join(sorted(behaviour.statistics))}",
        )


def dimension_findings(series: Series) -> Iterator[Finding]:
    """Say which dimensions cannot be read; a value that is not known yet is still one."""
    dimensions = series.dimensions
    if dimensions.unknown:
        yield dimensions.undecided("dimensions whose names are known")
    else:
        yield from dimensions.unsettled("an object of names and values")
    for prop in (ref.text() for ref in (dimensions.value or {}).values()):
        if not prop.unknown:
            required = "the name of what the metric is about"
            yield from prop.must(bool, problem="The dimension has no value.", required=required)


def statistic_findings(series: Series) -> Iterator[Finding]:
    """Say why CloudWatch refuses the statistic."""
    if series.two_statistics is not None:
        problem = "The alarm has both a statistic and an extended statistic."
        yield series.two_statistics.violation(problem, "one of the two")
        return
    yield from series.statistic.must(
        legal_statistic, problem="The alarm has no statistic that CloudWatch knows.", required=A_STATISTIC
    )


def known_metric(series: Series) -> Metric | None:
    """Return what is known of the metric, or None when it is not known which it is."""
    return lookup(series.namespace.value or "", series.name.value or "")
