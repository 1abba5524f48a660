"""An alarm as CloudWatch evaluates it: the metrics that count in the end, and what they come to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.alarms.series import Series, flat_series, query_series
from tap_guardrails.aws.expressions.meaning import EITHER, UP, Evaluator, Quantity, Result
from tap_guardrails.aws.expressions.scanner import ExpressionError
from tap_guardrails.aws.expressions.syntax import parse
from tap_guardrails.aws.metrics.lambda_functions import LONGEST_RUN_MILLISECONDS, SHORTEST_RUN_MILLISECONDS
from tap_guardrails.aws.metrics.metric import ANYTHING, INFINITY, Range, legal_statistic
from tap_guardrails.aws.resource_types import FUNCTION, METRIC_ALARM
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
    invalid,
    undecided,
    violation,
)
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NATIVE: Final = METRIC_ALARM.types[1]
DEFAULT_TIMEOUT_SECONDS: Final = 3
"""A function's timeout when it sets none."""

ITSELF: Final = ""
"""How the metric of an alarm without metric queries is called."""


@record(eq=False)
class Alarm:
    """An alarm.

    Attributes:
        resource: The resource.
        series: Every metric that it mentions, by the identifier of its query.
        influences: For each that counts in what is compared: whether more of it means more, less, or either.
        result: What is compared can come to this; None when it cannot be told.
        confidential: Whether what is compared was made with a secret, so that its range is not shown.
        least: The same if every timeout that is not known yet turns out to be the shortest.
        findings: What is wrong with how the metrics are put together.
        illegible: The property that cannot be read, so that nobody can tell what the alarm looks at.
        by_query: Whether it is evaluated by a query language that this pack does not follow.
    """

    resource: Resource
    series: dict[str, Series]
    influences: dict[str, int]
    result: Quantity | None
    findings: tuple[Finding, ...] = ()
    illegible: PropertyRef | None = None
    by_query: bool = False
    confidential: bool = False
    least: Quantity | None = None


@record(eq=False)
class Query:
    """One metric query of an alarm.

    Attributes:
        node: Where it is.
        returned: Whether its result is what the alarm compares.
        expression: Its expression.
        series: Its metric, unless it is an expression.
    """

    node: PropertyRef
    returned: PropertyValue[bool]
    expression: PropertyValue[str]
    series: Series | None


def alarms(stack: Stack) -> dict[str, Alarm]:
    """Return the stack's metric alarms by URN, each read once."""
    return stack.memoized(read_alarms)


def read_alarms(stack: Stack) -> dict[str, Alarm]:
    """Read all metric alarms of a stack."""
    return {resource.urn: read_alarm(resource, stack) for resource in stack.of(*METRIC_ALARM.types)}


def read_alarm(resource: Resource, stack: Stack) -> Alarm:
    """Read an alarm, with the best and the worst that may become of unknown timeouts."""
    alarm = read_form(resource, stack, LONGEST_RUN_MILLISECONDS)
    least = read_form(resource, stack, SHORTEST_RUN_MILLISECONDS).result
    limits = [node for series in alarm.series.values() for node in timeouts(resource, series, stack)]
    confidential = alarm.confidential or any(node.hidden for node in limits)
    return replace(alarm, least=least, confidential=confidential)


def read_form(resource: Resource, stack: Stack, unknown_limit: float) -> Alarm:
    """Read an alarm in whichever form it is written.

    Args:
        resource: The alarm.
        stack: The stack that it is in.
        unknown_limit: What to take for a function's timeout that is not known yet, in milliseconds.
    """
    queries = METRIC_ALARM.at(resource, "metricQueries").items()
    match queries:
        case Known(listed) if listed:
            return alarm_of_queries(resource, listed, stack, unknown_limit)
        case Unknown():
            return illegible(resource, undecided(queries, "metric queries that are known"), queries.node)
        case Invalid():
            return illegible(resource, invalid(queries, "a list of metric queries"), queries.node)
        case _:
            return alarm_of_one_metric(resource, stack, unknown_limit)


def alarm_of_one_metric(resource: Resource, stack: Stack, unknown_limit: float) -> Alarm:
    """Read an alarm that has its metric in its own properties, or is evaluated by PromQL."""
    criteria = METRIC_ALARM.at(resource, "evaluationCriteria").entries()
    match criteria:
        case Absent():
            series = flat_series(resource)
            result = quantity(resource, ITSELF, series, stack, unknown_limit)
            return Alarm(resource, {ITSELF: series}, {ITSELF: UP}, result)
        case Known():
            return Alarm(resource, {}, {}, None, by_query=True)
        case Unknown():
            return illegible(resource, undecided(criteria, "criteria that are known"), criteria.node)
        case Invalid():
            return illegible(resource, invalid(criteria, "an object with criteria"), criteria.node)


def illegible(resource: Resource, finding: Finding, node: PropertyRef) -> Alarm:
    """Make an alarm of which nobody can tell what it looks at."""
    return Alarm(resource, {}, {}, None, (finding,), node)


def quantity(
    alarm: Resource, identifier: str, series: Series, stack: Stack, unknown_limit: float
) -> Quantity | None:
    """Return what a series can come to, or None when it cannot be told."""
    metric, statistic = series.metric(), series.statistic_name()
    if not isinstance(statistic, Known) or not legal_statistic(statistic.value):
        return None
    values = metric.values(statistic.value) if metric else ANYTHING
    timeout = run_limit(alarm, series, stack, unknown_limit)
    if metric is not None and values.high < INFINITY and timeout is not None:
        values = Range(values.low, min(values.high, timeout))
    return Quantity(values, {identifier: UP}, silent=True)


def timeouts(alarm: Resource, series: Series, stack: Stack) -> list[PropertyRef]:
    """Return where the functions whose duration is watched say their timeouts."""
    if series.name.value != "Duration" or not isinstance(series.dimensions, Known):
        return []
    function_name = series.dimensions.value.get("FunctionName")
    functions = stack.resolve_reference(alarm, function_name, FUNCTION).certain if function_name else ()
    return [FUNCTION.at(function, "timeout") for function in functions]


def run_limit(alarm: Resource, series: Series, stack: Stack, unknown_limit: float) -> float | None:
    """Return the timeout, in milliseconds, of the function whose duration is watched."""
    match [node.number() for node in timeouts(alarm, series, stack)]:
        case [Known(seconds)]:
            return seconds * 1000
        case [Absent()]:
            return DEFAULT_TIMEOUT_SECONDS * 1000
        case [Unknown()]:
            return unknown_limit
        case _:
            return None


def alarm_of_queries(
    resource: Resource, listed: Sequence[PropertyRef], stack: Stack, unknown_limit: float
) -> Alarm:
    """Read an alarm that is made of metric queries."""
    queries: dict[str, Query] = {}
    for node in listed:
        identifier = node.at("id").text()
        if not isinstance(identifier, Known):
            finding = (
                undecided(identifier, "an identifier that is known")
                if isinstance(identifier, Unknown)
                else violation(identifier, "A metric query has no identifier.", "an identifier")
            )
            return illegible(resource, finding, node)
        queries[identifier.value] = read_query(node, native=resource.type == NATIVE)
    series = {key: query.series for key, query in queries.items() if query.series is not None}
    evaluation = Evaluation(
        resource, queries, lambda key, one: quantity(resource, key, one, stack, unknown_limit)
    )
    result, findings = evaluation.result()
    if findings:
        return Alarm(resource, series, dict.fromkeys(series, EITHER), None, tuple(findings))
    influences = {key: sign for key, sign in result.influences.items() if key in series} if result else {}
    confidential = any(query.expression.node.hidden for query in queries.values())
    return Alarm(
        resource, series, influences, result, by_query=evaluation.by_query, confidential=confidential
    )


def read_query(node: PropertyRef, *, native: bool) -> Query:
    """Read one metric query; CloudFormation returns what does not say otherwise, pulumi-aws does not."""
    returned = node.at("returnData").boolean()
    if isinstance(returned, Absent):
        returned = Known(native, returned.node)
    expression = node.at("expression").text()
    metric = node.at("metricStat") if native else node.at("metric")
    series = (
        None if isinstance(expression, Known) and metric.value is None else query_series(node, native=native)
    )
    return Query(node, returned, expression, series)


class Evaluation:
    """Works out what the queries of one alarm come to."""

    def __init__(
        self,
        alarm: Resource,
        queries: dict[str, Query],
        measure: Callable[[str, Series], Quantity | None],
    ) -> None:
        """Take the queries.

        Args:
            alarm: Whose they are.
            queries: By identifier.
            measure: Tells what a metric can come to.
        """
        self._alarm = alarm
        self._queries = queries
        self._measure = measure
        self._under_way: set[str] = set()
        self.by_query = False
        metrics = [key for key, query in queries.items() if query.series is not None]
        self._evaluator = Evaluator({key: self._giver(key) for key in queries}, metrics)

    def result(self) -> tuple[Quantity | None, list[Finding]]:
        """Return what is compared, or what stands in the way of knowing it."""
        findings = list(self._doubts())
        if findings:
            return None, findings
        band = METRIC_ALARM.at(self._alarm, "thresholdMetricId").text()
        returned = [
            (key, query)
            for key, query in self._queries.items()
            if isinstance(query.returned, Known)
            and query.returned.value
            and not (isinstance(band, Known) and band.value == key)
        ]
        if len(returned) != 1:
            problem = (
                "No metric query is returned." if not returned else "Several metric queries are returned."
            )
            node = METRIC_ALARM.at(self._alarm, "metricQueries")
            return None, [violation(node, problem, "exactly one query with `returnData: true`")]
        key, query = returned[0]
        try:
            series = self._give(key)
        except ExpressionError as error:
            return None, [not_understood(query, error)]
        return (series[0] if len(series) == 1 else Quantity(ANYTHING)), []

    def _doubts(self) -> list[Finding]:
        queries = self._queries.values()
        readings: list[PropertyValue[bool] | PropertyValue[str]] = [query.returned for query in queries]
        readings += [query.expression for query in queries]
        readings.append(METRIC_ALARM.at(self._alarm, "thresholdMetricId").text())
        required = "a value that is known, since it decides what the alarm looks at"
        return [undecided(reading, required) for reading in readings if isinstance(reading, Unknown)] + [
            invalid(reading, required) for reading in readings if isinstance(reading, Invalid)
        ]

    def _giver(self, key: str) -> Callable[[], Result]:
        return lambda: self._give(key)

    def _give(self, key: str) -> Result:
        query = self._queries[key]
        if query.series is not None:
            return (self._measure(key, query.series) or Quantity(ANYTHING, {key: UP}),)
        text = query.expression.value if isinstance(query.expression, Known) else ""
        if text.lstrip()[:6].upper() == "SELECT":
            self.by_query = True
            return (Quantity(ANYTHING),)
        if key in self._under_way:
            raise ExpressionError(f"{key!r} refers to itself")
        self._under_way.add(key)
        result = self._evaluator.work_out(parse(text))
        self._under_way.discard(key)
        return result


def not_understood(query: Query, error: ExpressionError) -> Finding:
    """Say that an expression is not one, or is beyond this pack."""
    node = query.node.at("expression")
    return undecided(
        node,
        "metric math over the queries of the alarm",
        "The expression cannot be followed."
        if node.hidden
        else f"The expression cannot be followed: {error}.",
        "Write the expression with the documented functions of metric math, over the alarm's own queries.",
    )
