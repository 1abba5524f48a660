"""All of an alarm that decides when it fires, as plain values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from tap_guardrails.aws.alarms.alarm import ITSELF
from tap_guardrails.aws.alarms.syntax import Expression, ExpressionError, Name, parts
from tap_guardrails.aws.metrics.metric import legal_statistic
from tap_guardrails.model import Absent, Known, Unknown
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from tap_guardrails.aws.alarms.alarm import Alarm, Series
    from tap_guardrails.model import PropertyValue

T = TypeVar("T")

Variable: TypeAlias = tuple[str, str, int]
"""A metric of one thing: namespace, name, and which of the alarm's sets of dimensions."""

GREATER, GREATER_OR_EQUAL = "GreaterThanThreshold", "GreaterThanOrEqualToThreshold"
LESS, LESS_OR_EQUAL = "LessThanThreshold", "LessThanOrEqualToThreshold"
ABOVE_BAND, BELOW_BAND = "GreaterThanUpperThreshold", "LessThanLowerThreshold"
OUTSIDE_BAND: Final = "LessThanLowerOrGreaterThanUpperThreshold"

BAND: Final = frozenset({ABOVE_BAND, BELOW_BAND, OUTSIDE_BAND})
WITH_NUMBER: Final = frozenset({GREATER, GREATER_OR_EQUAL, LESS, LESS_OR_EQUAL})
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""

MINUTE: Final = 60

DEFAULT_TIMEOUT_SECONDS: Final = 3
"""A function's timeout when it sets none."""

SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 900.0
"""Between these is a function's timeout: https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html"""


BARE_WORDS: Final = frozenset({"REPEAT", "LINEAR", "ASC", "DESC", "AVG", "MAX", "MIN", "SUM"})
"""Words in an expression that name no query."""


@record
class Source:
    """A metric of an alarm.

    Attributes:
        key: The identifier of its query.
        variable: What it measures.
        statistic: Its statistic.
        period: The length of a period, in seconds.
        limit: The most that a value can be, for the duration of a function whose timeout is known.
    """

    key: str
    variable: Variable
    statistic: str
    period: int
    limit: float


@record
class Plan:
    """All of an alarm that decides when it fires; equal alarms on different things have equal plans.

    Attributes:
        sources: Its metrics.
        expressions: Its expressions by identifier.
        returned: The identifier of the query that is compared.
        operator: The comparison.
        threshold: What is compared with; None for a band of normal values.
        missing: How missing data are treated.
        periods: How many periods are looked at.
        datapoints: How many of them have to be bad.
        most_events: How many events a minute can have at most.
    """

    sources: tuple[Source, ...]
    expressions: tuple[tuple[str, str], ...]
    returned: str
    operator: str
    threshold: float | None
    missing: str
    periods: int
    datapoints: int
    most_events: int


def plan_of(alarm: Alarm, most_events: int, unknown_timeout: float = LONGEST_SECONDS) -> tuple[Plan, bool]:
    """Return what decides when an alarm fires, and whether all of it is known.

    Args:
        alarm: The alarm.
        most_events: How many events a minute can have at most.
        unknown_timeout: What to take for a function's timeout that is not known yet, in seconds.
    """
    known = [alarm.operator, alarm.periods, *(one.period for one in alarm.series.values())]
    complete = all(isinstance(one, Known) for one in known)
    complete = complete and all(
        isinstance(one.statistic, Known) and legal_statistic(one.statistic.value)
        for one in alarm.series.values()
    )
    complete = complete and all(isinstance(one, (Known, Absent)) for one in (alarm.missing, alarm.datapoints))
    operator = value_or(alarm.operator, GREATER)
    compared = alarm.band if operator in BAND else alarm.threshold
    complete = complete and isinstance(compared, Known) and operator in WITH_NUMBER | BAND
    periods = max(1, value_or(alarm.periods, 1))
    places: dict[object, int] = {}
    sources = tuple(
        Source(
            key,
            (
                value_or(one.namespace, ""),
                value_or(one.name, ""),
                places.setdefault(place_of(one), len(places)),
            ),
            value_or(one.statistic, "Sum"),
            max(1, value_or(one.period, MINUTE)),
            limit_of(one, unknown_timeout),
        )
        for key, one in alarm.series.items()
    )
    plan = Plan(
        sources,
        tuple((key, one.value) for key, one in alarm.expressions.items()),
        alarm.returned or ITSELF,
        operator,
        None if operator in BAND else value_or(alarm.threshold, 0.0),
        value_or(alarm.missing, "missing"),
        periods,
        min(periods, max(1, value_or(alarm.datapoints, periods))),
        most_events,
    )
    return plan, complete


def value_or(reading: PropertyValue[T], default: T) -> T:
    """Return a value that is known, or another one."""
    return reading.value if isinstance(reading, Known) else default


def place_of(series: Series) -> object:
    """Return what tells what one series is about from what others are about."""
    if not isinstance(series.dimensions, Known):
        return None
    return tuple(sorted((name, str(node.value)) for name, node in series.dimensions.value.items()))


def limit_of(series: Series, unknown_timeout: float) -> float:
    """Return the most that a duration can be, in milliseconds."""
    match series.timeouts:
        case (Known(seconds),):
            return seconds * 1000
        case (Absent(),):
            return DEFAULT_TIMEOUT_SECONDS * 1000.0
        case (Unknown(),):
            return unknown_timeout * 1000
        case _:
            return math.inf


def in_order(plan: Plan, trees: dict[str, Expression]) -> tuple[str, ...]:
    """Return the expressions that what is compared is made of, each after those that it is made of.

    Raises:
        ExpressionError: One refers to itself, or to a query that is not there.
    """
    metrics = {source.key for source in plan.sources}
    opened: set[str] = set()
    ordered: dict[str, None] = {}
    waiting = [plan.returned]
    while waiting:
        key = waiting[-1]
        if key in metrics or key in ordered:
            waiting.pop()
            continue
        if key not in trees:
            raise ExpressionError(f"there is no metric query {key!r}")
        named = {part.value for part in parts(trees[key]) if isinstance(part, Name)}
        inner = sorted(named - metrics - BARE_WORDS - ordered.keys())
        if inner and key in opened:
            raise ExpressionError(f"{key!r} refers to itself")
        opened.add(key)
        if inner:
            waiting.extend(inner)
        else:
            ordered[key] = None
            waiting.pop()
    return tuple(ordered)
