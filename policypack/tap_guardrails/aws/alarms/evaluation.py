"""Whether CloudWatch takes the periods of an alarm, and enough of them can be bad.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.alarms.alarm import ITSELF
from tap_guardrails.aws.resource_types import METRIC_ALARM
from tap_guardrails.model import Absent, Finding, Known, must, violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_guardrails.aws.alarms.alarm import Alarm
    from tap_guardrails.aws.alarms.series import Series

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86_400, 604_800
FAST_PERIODS: Final = frozenset({10, 20, 30})
FAST_QUERY_PERIODS: Final = frozenset({1, 5, 10, 20, 30})
MISSING_DATA: Final = ("missing", "ignore", "breaching", "notBreaching")


def evaluation_findings(alarm: Alarm) -> Iterator[Finding]:
    """Say what is wrong with an alarm's periods and with how it treats missing data."""
    for identifier, series in alarm.series.items():
        yield from period_findings(series, fast=FAST_PERIODS if identifier == ITSELF else FAST_QUERY_PERIODS)
    periods = METRIC_ALARM.at(alarm.resource, "evaluationPeriods").integer()
    yield from must(
        periods,
        lambda count: count >= 1,
        problem="The alarm looks at no period.",
        required="the number of periods to look at, 1 or more",
    )
    count = periods.value if isinstance(periods, Known) else None
    yield from datapoint_findings(alarm, count)
    lengths = [series.period.integer() for series in alarm.series.values()]
    longest = max((length.value for length in lengths if isinstance(length, Known)), default=0)
    limit = WEEK if longest >= HOUR else DAY
    if count is not None and count * longest > limit:
        yield violation(
            periods,
            "CloudWatch refuses to look back as far as these periods go.",
            f"periods that add up to {limit} seconds at the most",
        )
    missing = METRIC_ALARM.at(alarm.resource, "treatMissingData").text()
    if not isinstance(missing, Absent):
        yield from must(
            missing,
            lambda value: value in MISSING_DATA,
            problem="CloudWatch knows no such way to treat missing data.",
            required=f"one of {', '.join(MISSING_DATA)}",
        )


def period_findings(series: Series, fast: frozenset[int]) -> Iterator[Finding]:
    """Say what is wrong with the length of a period."""
    by_the_minute = series.metric() is not None
    yield from must(
        series.period.integer(),
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


def datapoint_findings(alarm: Alarm, periods: int | None) -> Iterator[Finding]:
    """Say why there can never be as many bad periods as the alarm waits for."""
    datapoints = METRIC_ALARM.at(alarm.resource, "datapointsToAlarm").integer()
    if isinstance(datapoints, Absent) or (isinstance(datapoints, Known) and periods is None):
        return
    yield from must(
        datapoints,
        lambda count: 1 <= count <= (periods or count),
        problem="The alarm waits for more bad periods than it looks at, or for none.",
        required="1 or more, and no more than `evaluationPeriods`",
    )
