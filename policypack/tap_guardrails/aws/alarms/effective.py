"""What keeps an alarm from being effective: it can fire, at the right time, and someone is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tap_guardrails.aws import COMPOSITE_ALARM, METRIC_ALARM
from tap_guardrails.aws.alarms.alarm import ITSELF, Alarm, Series
from tap_guardrails.aws.alarms.metrics import identity_findings, known_metric
from tap_guardrails.aws.alarms.receivers import action_findings
from tap_guardrails.aws.alarms.syntax import Call, ExpressionError, RefusedError, parse, parts
from tap_guardrails.aws.alarms.witness import SHORTEST_SECONDS, Outcome, outcome, plan_of, tried
from tap_guardrails.aws.alarms.worlds import BAND, MINUTE, WITH_NUMBER
from tap_guardrails.aws.sub_resources import same_location
from tap_guardrails.model import Finding, Known, Resource, ResourceType, Settings, Stack

HOUR, DAY, WEEK = 3600, 86_400, 604_800
FAST_PERIODS: Final = frozenset({10, 20, 30})
FAST_QUERY_PERIODS: Final = frozenset({1, 5, 10, 20, 30})
MISSING_DATA: Final = ("missing", "ignore", "breaching", "notBreaching")
A_BAND: Final = "ANOMALY_DETECTION_BAND"
MOST_METRICS: Final = 10
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html"""


def effective_findings(alarm: Alarm, stack: Stack, settings: Settings) -> Iterator[Finding]:
    """Go through all that can keep an alarm from being effective."""
    yield from action_findings(alarm.resource, stack, settings)
    yield from name_findings(alarm.resource, METRIC_ALARM, stack)
    yield from alarm.queries.findings
    for series in alarm.queries.series.values():
        yield from identity_findings(series, alarm.resource, settings)
    if len(alarm.queries.series) > MOST_METRICS:
        queries = METRIC_ALARM.at(alarm.resource, "metricQueries")
        problem = f"CloudWatch refuses an alarm on more than {MOST_METRICS} metrics."
        yield queries.violation(problem, f"at most {MOST_METRICS} metrics, or a query in Metrics Insights")
    if not alarm.queries.by_query or alarm.queries.series:
        yield from period_findings(alarm)
        yield from comparison_findings(alarm, settings.integer("mostEvents"))


def name_findings(alarm: Resource, resource_type: ResourceType, stack: Stack) -> Iterator[Finding]:
    """Say that two alarms have one name, of which the later replaces the other."""
    name = resource_type.physical_name(alarm)
    named = [] if name is None else [stack.names(one).of(name) for one in (METRIC_ALARM, COMPOSITE_ALARM)]
    for other in (one for relation in named for one in relation.certain):
        if other is not alarm and same_location(alarm, other):
            yield resource_type.at(alarm, resource_type.name_property).violation(
                f"Alarm `{other.name}` has the same name in the same region, so that one replaces the other.",
                "a name that no other alarm has",
            )
            return


# -- The periods: CloudWatch takes them, and enough of them can be bad.


def period_findings(alarm: Alarm) -> Iterator[Finding]:
    """Say what is wrong with an alarm's periods and with how it treats missing data."""
    for identifier, series in alarm.queries.series.items():
        yield from length_findings(series, FAST_PERIODS if identifier == ITSELF else FAST_QUERY_PERIODS)
    periods, datapoints, missing = alarm.periods, alarm.datapoints, alarm.missing
    yield from periods.must(
        lambda count: count >= 1,
        problem="The alarm looks at no period.",
        required="the number of periods to look at, 1 or more",
    )
    count = periods.value
    if not datapoints.absent and not (isinstance(datapoints, Known) and count is None):
        yield from datapoints.must(
            lambda wanted: 1 <= wanted <= (count or wanted),
            problem="The alarm waits for more bad periods than it looks at, or for none.",
            required="1 or more, and no more than `evaluationPeriods`",
        )
    lengths = [one.period.value for one in alarm.queries.series.values() if isinstance(one.period, Known)]
    longest = max(lengths, default=0)
    limit = WEEK if longest >= HOUR else DAY
    if count is not None and count * longest > limit:
        yield periods.violation(
            "CloudWatch refuses to look back as far as these periods go.",
            f"periods that add up to {limit} seconds at the most",
        )
    if not missing.absent:
        yield from missing.must(
            lambda value: value in MISSING_DATA,
            problem="CloudWatch knows no such way to treat missing data.",
            required=f"one of {', '.join(MISSING_DATA)}",
        )


def length_findings(series: Series, fast: frozenset[int]) -> Iterator[Finding]:
    """Say what is wrong with the length of a period."""
    by_the_minute = known_metric(series) is not None
    yield from series.period.must(
        lambda seconds: (seconds > 0 and seconds % MINUTE == 0) or (not by_the_minute and seconds in fast),
        problem=(
            "AWS emits this metric by the minute, so such a period has no data."
            if by_the_minute
            else "CloudWatch takes no period of this length."
        ),
        required="a multiple of 60 seconds"
        if by_the_minute
        else f"a multiple of 60 seconds, or one of {', '.join(map(str, sorted(fast)))}",
    )


# -- The comparison: it can be true, and is not true all the time.


def comparison_findings(alarm: Alarm, most_events: int) -> Iterator[Finding]:
    """Say why an alarm's comparison does not tell good from bad."""
    operator = alarm.operator
    yield from operator.must(
        lambda value: value in WITH_NUMBER | BAND,
        problem="CloudWatch knows no such comparison.",
        required=f"one of {', '.join(sorted(WITH_NUMBER | BAND))}",
    )
    if operator.value in BAND:
        yield from band_findings(alarm)
    elif operator.value in WITH_NUMBER:
        yield from alarm.threshold.must(
            lambda _: True, problem="The alarm compares with nothing.", required="the number to compare with"
        )
    if not alarm.queries.findings and alarm.queries.returned is not None:
        yield from outcome_findings(alarm, most_events)


def band_findings(alarm: Alarm) -> Iterator[Finding]:
    """Say why there is no band of normal values to compare with."""
    if alarm.band.unknown and alarm.queries.findings:
        return
    yield from alarm.band.must(
        lambda identifier: not alarm.queries.findings and is_band(alarm, identifier),
        problem="The alarm compares with a band of normal values that it does not have.",
        required=f"the identifier of a metric query with {A_BAND}",
    )


def is_band(alarm: Alarm, identifier: str) -> bool:
    """Tell whether a metric query gives a band of normal values; one that cannot be read is believed."""
    expression = alarm.queries.expressions.get(identifier)
    if expression is None:
        return False
    try:
        return any(isinstance(one, Call) and one.function == A_BAND for one in parts(parse(expression.value)))
    except ExpressionError:
        return True


def outcome_findings(alarm: Alarm, most_events: int) -> Iterator[Finding]:
    """Say that a comparison can never be true, or never be untrue, or cannot be worked out."""
    plan, complete = plan_of(alarm, most_events)
    try:
        if not complete:
            tried(plan)
            return
        result = outcome(plan)
        unknown = any(one.unknown for series in alarm.queries.series.values() for one in series.timeouts)
        shortest = plan_of(alarm, most_events, SHORTEST_SECONDS)[0] if unknown else plan
        least = outcome(shortest)
    except ExpressionError as error:
        yield from not_followed(alarm, error)
        return
    threshold = (alarm.band if plan.threshold is None else alarm.threshold).ref
    if (least.fires, least.rests) != (result.fires, result.rests):
        yield threshold.undecided(
            "a threshold that is right whatever the timeout will be",
            "Whether the comparison tells good from bad depends on a timeout that is not known yet.",
            "Give the function's `timeout` a value that is known at preview.",
        )
    elif not result.fires:
        yield threshold.violation(
            "The comparison can never be true, so the alarm never goes off.",
            f"a threshold that {spoken(alarm, result)} can reach",
        )
    elif not result.rests and result.unheard:
        yield alarm.missing.violation(
            "The metric has data only while something is wrong, so the alarm is on while all is well.",
            '"notBreaching", "missing" or "ignore"',
        )
    elif not result.rests:
        yield threshold.violation(
            "The comparison is always true, so the alarm is on while all is well.",
            f"a threshold that tells {spoken(alarm, result)} apart",
        )


def spoken(alarm: Alarm, result: Outcome) -> str:
    """Say the range of what is compared."""
    if alarm.confidential or result.low > result.high:
        return "its values"
    return f"values from {result.low:g} to {result.high:g}"


def not_followed(alarm: Alarm, error: ExpressionError) -> Iterator[Finding]:
    """Say that an expression is not one, that CloudWatch refuses it, or that it is beyond this pack."""
    expression = alarm.queries.expressions.get(alarm.queries.returned or "")
    if expression is None:
        return
    ref = expression.ref
    required = "metric math over the queries of the alarm"
    if isinstance(error, RefusedError):
        told = "" if ref.hidden else f": {error}"
        yield ref.violation(f"CloudWatch refuses an alarm on this expression{told}.", required)
        return
    yield ref.undecided(
        required,
        "The expression cannot be followed."
        if ref.hidden
        else f"The expression cannot be followed: {error}.",
        "Write the expression with the documented functions of metric math, over the alarm's own queries.",
    )
