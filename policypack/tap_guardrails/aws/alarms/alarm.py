"""An alarm as its properties describe it: the metrics that it looks at, what it compares, and when it acts.

All that the other modules ask of an alarm is read here, once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypeAlias

from tap_guardrails.aws import FUNCTION, METRIC_ALARM
from tap_guardrails.aws.alarms.syntax import ExpressionError, is_insights, parse_insights
from tap_guardrails.model import (
    Absent,
    Finding,
    Invalid,
    Known,
    PropertyRef,
    PropertyValue,
    Resource,
    Stack,
    Unknown,
)
from tap_guardrails.model.values import record

NATIVE: Final = METRIC_ALARM.types[1]
ITSELF: Final = ""
"""Series key of an alarm that has no metricQueries."""

DECIDES: Final = "a value that is known, since it decides what the alarm looks at"

Dimensions: TypeAlias = dict[str, PropertyRef]


@record(eq=False)
class Series:
    """A metric with its dimensions, statistic and period, whichever form the alarm is written in.

    Attributes:
        period: The length of a period, in seconds.
        account: The account that it comes from; absent for the alarm's own.
        timeouts: For the duration of a function in the stack: what that says of its timeout, in seconds.
        two_statistics: Where a second statistic is set beside the first.
        grouped: The dimensions each value of which is watched apart, as a query in Metrics Insights can.
        partial: Whether a query in Metrics Insights leaves out what a condition excludes.
        loose: Whether such a query takes in more dimensions than it names.
    """

    namespace: PropertyValue[str]
    name: PropertyValue[str]
    statistic: PropertyValue[str]
    period: PropertyValue[int]
    unit: PropertyValue[str]
    account: PropertyValue[str]
    dimensions: PropertyValue[Dimensions]
    timeouts: tuple[PropertyValue[float], ...] = ()
    two_statistics: PropertyRef | None = None
    grouped: frozenset[str] = frozenset()
    partial: bool = False
    loose: bool = False


@record(eq=False)
class Queries:
    """What an alarm looks at.

    Attributes:
        series: Every metric that it mentions, by the identifier of its query.
        expressions: Every expression, by the identifier of its query.
        returned: The identifier of the query whose result is compared; None when that cannot be told.
        findings: What is wrong with how the queries are put together.
        unreadable: The property that cannot be read, so that it is undecided what the alarm looks at.
        by_query: Whether it is evaluated by a query language that this pack does not follow.
    """

    series: dict[str, Series]
    expressions: dict[str, Known[str]]
    returned: str | None = None
    findings: tuple[Finding, ...] = ()
    unreadable: PropertyRef | None = None
    by_query: bool = False


@record(eq=False)
class Alarm:
    """A metric alarm.

    Attributes:
        band: The query with the band of normal values to compare with.
        datapoints: How many of the periods have to be bad.
    """

    resource: Resource
    queries: Queries
    operator: PropertyValue[str]
    threshold: PropertyValue[float]
    band: PropertyValue[str]
    missing: PropertyValue[str]
    periods: PropertyValue[int]
    datapoints: PropertyValue[int]

    @property
    def confidential(self) -> bool:
        """Whether what is compared is made with a secret, so that no message may show its range."""
        limits = [one.ref for series in self.queries.series.values() for one in series.timeouts]
        made_of = [one.ref for one in self.queries.expressions.values()]
        return any(ref.hidden for ref in (*limits, *made_of))


def read_alarm(resource: Resource, stack: Stack) -> Alarm:
    """Read an alarm."""
    return Alarm(
        resource,
        read_queries(resource, stack),
        METRIC_ALARM.at(resource, "comparisonOperator").text(),
        METRIC_ALARM.at(resource, "threshold").number(),
        METRIC_ALARM.at(resource, "thresholdMetricId").text(),
        METRIC_ALARM.at(resource, "treatMissingData").text(),
        METRIC_ALARM.at(resource, "evaluationPeriods").integer(),
        METRIC_ALARM.at(resource, "datapointsToAlarm").integer(),
    )


def read_queries(resource: Resource, stack: Stack) -> Queries:
    """Read what an alarm looks at, in whichever form it is written."""
    queries = METRIC_ALARM.at(resource, "metricQueries").items()
    match queries:
        case Known(listed) if listed:
            return read_listed(resource, listed, stack)
        case Unknown():
            return unreadable(queries.undecided("metric queries that are known"), queries.ref)
        case Invalid():
            return unreadable(queries.invalid("a list of metric queries"), queries.ref)
        case _:
            return read_single(resource, stack)


def read_single(resource: Resource, stack: Stack) -> Queries:
    """Read an alarm that has its metric in its own properties, or is evaluated by PromQL."""
    criteria = METRIC_ALARM.at(resource, "evaluationCriteria").entries()
    match criteria:
        case Absent():
            return Queries({ITSELF: with_timeouts(resource, flat_series(resource), stack)}, {}, ITSELF)
        case Known():
            return Queries({}, {}, by_query=True)
        case Unknown():
            return unreadable(criteria.undecided("criteria that are known"), criteria.ref)
        case Invalid():
            return unreadable(criteria.invalid("an object with criteria"), criteria.ref)


def unreadable(finding: Finding, ref: PropertyRef) -> Queries:
    """Make the queries of an alarm of which it is undecided what it looks at."""
    return Queries({}, {}, None, (finding,), ref)


def flat_series(alarm: Resource) -> Series:
    """Read the metric of an alarm that has it in its own properties."""
    basic = METRIC_ALARM.at(alarm, "statistic").text()
    extended = METRIC_ALARM.at(alarm, "extendedStatistic").text()
    both = not basic.absent and not extended.absent
    return Series(
        METRIC_ALARM.at(alarm, "namespace").text(),
        METRIC_ALARM.at(alarm, "metricName").text(),
        extended if basic.absent and not extended.absent else basic,
        METRIC_ALARM.at(alarm, "period").integer(),
        METRIC_ALARM.at(alarm, "unit").text(),
        METRIC_ALARM.at(alarm, "accountId").text(),
        read_dimensions(METRIC_ALARM.at(alarm, "dimensions")),
        two_statistics=extended.ref if both else None,
    )


def read_listed(resource: Resource, listed: list[PropertyRef], stack: Stack) -> Queries:
    """Read an alarm that is made of metric queries."""
    native = resource.type == NATIVE
    band = METRIC_ALARM.at(resource, "thresholdMetricId").text()
    series: dict[str, Series] = {}
    expressions: dict[str, Known[str]] = {}
    returned: list[str] = []
    findings: list[Finding] = list(band.unsettled(DECIDES))
    for ref in listed:
        identifier = ref.at("id").text()
        if not isinstance(identifier, Known):
            unknown = identifier.unknown
            finding = (
                identifier.undecided("an identifier that is known")
                if unknown
                else identifier.violation("A metric query has no identifier.", "an identifier")
            )
            return unreadable(finding, ref)
        key = identifier.value
        expression, gives = ref.at("expression").text(), ref.at("returnData").boolean()
        findings += [*gives.unsettled(DECIDES), *expression.unsettled(DECIDES)]
        # CloudFormation returns what does not say otherwise; pulumi-aws does not.
        if (gives.value if isinstance(gives, Known) else native) and band.value != key:
            returned.append(key)
        holder = ref.at("metricStat" if native else "metric")
        if isinstance(expression, Known) and holder.value is None:
            expressions[key] = expression
        elif not expression.unknown:
            series[key] = with_timeouts(resource, query_series(ref, holder, native=native), stack)
    read = Queries(series, expressions, findings=tuple(findings))
    if findings:
        return read
    if len(returned) != 1:
        problem = "Several metric queries are returned." if returned else "No metric query is returned."
        queries = METRIC_ALARM.at(resource, "metricQueries")
        return replace(
            read, findings=(queries.violation(problem, "exactly one query with `returnData: true`"),)
        )
    return with_insights(replace(read, returned=returned[0]), listed)


def with_insights(read: Queries, listed: list[PropertyRef]) -> Queries:
    """Turn queries in the language of Metrics Insights into metrics."""
    series, expressions = dict(read.series), dict(read.expressions)
    refs = {ref.at("id").text().value: ref for ref in listed}
    for key, expression in read.expressions.items():
        if not is_insights(expression.value):
            continue
        try:
            series[key] = insights_series(refs[key], expression)
        except ExpressionError as error:
            told = "" if expression.ref.hidden else f": {error}"
            return unreadable(
                expression.undecided(
                    "a query in Metrics Insights",
                    f"The query cannot be followed{told}.",
                    "Write it as SELECT … FROM SCHEMA(…) WHERE … AND …, with the documented functions.",
                ),
                expression.ref,
            )
        del expressions[key]
    return replace(read, series=series, expressions=expressions)


def insights_series(query: PropertyRef, expression: Known[str]) -> Series:
    """Read a query in the language of Metrics Insights, or raise `ExpressionError`."""
    parsed = parse_insights(expression.value)
    ref = expression.ref
    keys = parsed.dimensions
    if keys is None:
        keys = frozenset(key for key, _ in parsed.equal) | parsed.grouped
    dimensions = {key: replace(ref, value=value) for key, value in parsed.equal if key in keys}
    return Series(
        Known(parsed.namespace, ref),
        Known(parsed.metric, ref),
        Known(parsed.statistic, ref),
        query.at("period").integer(),
        Absent(query.at("unit")),
        query.at("accountId").text(),
        Known({**{key: replace(ref, value="*") for key in keys - dimensions.keys()}, **dimensions}, ref),
        grouped=parsed.grouped,
        partial=bool(parsed.unequal) or any(key not in keys for key, _ in parsed.equal),
        loose=parsed.dimensions is None,
    )


def query_series(query: PropertyRef, holder: PropertyRef, *, native: bool) -> Series:
    """Read the metric of a metric query."""
    metric = holder.at("metric") if native else holder
    return Series(
        metric.at("namespace").text(),
        metric.at("metricName").text(),
        holder.at("stat").text(),
        holder.at("period").integer(),
        holder.at("unit").text(),
        query.at("accountId").text(),
        read_dimensions(metric.at("dimensions")),
    )


def read_dimensions(ref: PropertyRef) -> PropertyValue[Dimensions]:
    """Read dimensions: an object of names and values, or a list of `{name, value}`."""
    fields = ref.entries()
    if fields.absent:
        return Known({}, ref)
    pairs = ref.items()
    if not isinstance(pairs, Known):
        return fields
    dimensions: Dimensions = {}
    for pair in pairs.value:
        match pair.at("name").text():
            case Known(name):
                dimensions[name] = pair.at("value")
            case Absent(empty):
                return Invalid(empty, "the name of a dimension")
            case Unknown() | Invalid() as prop:
                return prop
    return Known(dimensions, pairs.ref)


def with_timeouts(alarm: Resource, series: Series, stack: Stack) -> Series:
    """Add what the function whose duration is watched says of its timeout."""
    name, dimensions = series.name, series.dimensions
    if not (name.value == "Duration" and isinstance(dimensions, Known)):
        return series
    function_name = dimensions.value.get("FunctionName")
    functions = stack.resolve_reference(alarm, function_name, FUNCTION).certain if function_name else ()
    timeouts = tuple(FUNCTION.at(function, "timeout").number() for function in functions)
    return replace(series, timeouts=timeouts)
