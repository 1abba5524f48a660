"""Whether the comparison of an alarm can become true, and can be untrue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.expressions.meaning import DOWN, UP
from tap_guardrails.aws.resource_types import METRIC_ALARM
from tap_guardrails.model import Finding, Known, PropertyValue, Unknown, must, undecided, violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_guardrails.aws.alarms.alarm import Alarm
    from tap_guardrails.aws.metrics.metric import Range

GREATER, GREATER_OR_EQUAL = "GreaterThanThreshold", "GreaterThanOrEqualToThreshold"
LESS, LESS_OR_EQUAL = "LessThanThreshold", "LessThanOrEqualToThreshold"
ABOVE_BAND, BELOW_BAND = "GreaterThanUpperThreshold", "LessThanLowerThreshold"
OUTSIDE_BAND: Final = "LessThanLowerOrGreaterThanUpperThreshold"

WITH_NUMBER: Final = frozenset({GREATER, GREATER_OR_EQUAL, LESS, LESS_OR_EQUAL})
WITH_BAND: Final = frozenset({ABOVE_BAND, BELOW_BAND, OUTSIDE_BAND})
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""

POSSIBLE: Final[dict[str, Callable[[Range, float], bool]]] = {
    GREATER: lambda values, threshold: values.high > threshold,
    GREATER_OR_EQUAL: lambda values, threshold: values.high >= threshold,
    LESS: lambda values, threshold: values.low < threshold,
    LESS_OR_EQUAL: lambda values, threshold: values.low <= threshold,
}
INEVITABLE: Final[dict[str, Callable[[Range, float], bool]]] = {
    GREATER: lambda values, threshold: values.low > threshold,
    GREATER_OR_EQUAL: lambda values, threshold: values.low >= threshold,
    LESS: lambda values, threshold: values.high < threshold,
    LESS_OR_EQUAL: lambda values, threshold: values.high <= threshold,
}


def comparison(alarm: Alarm) -> PropertyValue[str]:
    """Read an alarm's comparison."""
    return METRIC_ALARM.at(alarm.resource, "comparisonOperator").text()


def pulls(alarm: Alarm, identifier: str) -> bool | None:
    """Tell whether more of a metric makes the alarm go off; None while the comparison is not known."""
    influence = alarm.influences.get(identifier)
    operator = comparison(alarm)
    if influence is None:
        return False
    if not isinstance(operator, Known):
        return None if isinstance(operator, Unknown) else False
    wrong = {
        GREATER: DOWN,
        GREATER_OR_EQUAL: DOWN,
        ABOVE_BAND: DOWN,
        LESS: UP,
        LESS_OR_EQUAL: UP,
        BELOW_BAND: UP,
    }
    return influence != wrong.get(operator.value)


def reachable(alarm: Alarm) -> bool:
    """Tell whether data, and not only their absence, can make the alarm go off, as far as is known."""
    operator, threshold = comparison(alarm), METRIC_ALARM.at(alarm.resource, "threshold").number()
    if alarm.result is None or not isinstance(operator, Known) or not isinstance(threshold, Known):
        return True
    possible = POSSIBLE.get(operator.value)
    return possible is None or possible(alarm.result.values, threshold.value)


def comparison_findings(alarm: Alarm) -> Iterator[Finding]:
    """Say why an alarm's comparison does not tell good from bad."""
    operator = comparison(alarm)
    yield from must(
        operator,
        lambda value: value in WITH_NUMBER | WITH_BAND,
        problem="CloudWatch knows no such comparison.",
        required=f"one of {', '.join(sorted(WITH_NUMBER | WITH_BAND))}",
    )
    if isinstance(operator, Known) and operator.value in WITH_BAND:
        yield from band_findings(alarm)
    elif isinstance(operator, Known) and operator.value in WITH_NUMBER:
        threshold = METRIC_ALARM.at(alarm.resource, "threshold").number()
        yield from must(
            threshold,
            lambda _: True,
            problem="The alarm compares with nothing.",
            required="the number to compare with",
        )
        if isinstance(threshold, Known):
            yield from outcome_findings(alarm, operator.value, threshold)


def band_findings(alarm: Alarm) -> Iterator[Finding]:
    """Say why there is no band of normal values to compare with."""
    band = METRIC_ALARM.at(alarm.resource, "thresholdMetricId").text()
    if isinstance(band, Unknown) and alarm.findings:
        return
    yield from must(
        band,
        lambda identifier: not alarm.findings and identifier in band_identifiers(alarm),
        problem="The alarm compares with a band of normal values that it does not have.",
        required="the identifier of a metric query with ANOMALY_DETECTION_BAND",
    )


def band_identifiers(alarm: Alarm) -> set[str]:
    """Return the identifiers of an alarm's metric queries that are expressions."""
    queries = METRIC_ALARM.at(alarm.resource, "metricQueries").items()
    nodes = queries.value if isinstance(queries, Known) else []
    identifiers = [node.at("id").text() for node in nodes if node.at("expression").value is not None]
    return {identifier.value for identifier in identifiers if isinstance(identifier, Known)}


def outcome_findings(alarm: Alarm, operator: str, threshold: Known[float]) -> Iterator[Finding]:
    """Say that a comparison can never be true, or never be untrue."""
    missing = METRIC_ALARM.at(alarm.resource, "treatMissingData").text()
    if alarm.result is None or isinstance(missing, Unknown):
        return
    breaching = isinstance(missing, Known) and missing.value == "breaching"
    values, limit = alarm.result.values, threshold.value
    least = alarm.least.values if alarm.least else values
    if outcome(least, operator, limit) != outcome(values, operator, limit):
        yield undecided(
            threshold,
            "a threshold that is right whatever the timeout will be",
            "Whether the comparison tells good from bad depends on a timeout that is not known yet.",
            "Give the function's `timeout` a value that is known at preview.",
        )
    elif not POSSIBLE[operator](values, limit):
        if not breaching:
            yield violation(
                threshold,
                "The comparison can never be true, so the alarm never goes off.",
                f"a threshold that {spoken(alarm, values)} can reach",
            )
    elif silence_is_good(alarm):
        if breaching and not alarm_on_silence(values, operator, limit):
            yield violation(
                missing,
                "The metric has data only while something is wrong, so the alarm is on while all is well.",
                '"notBreaching", "missing" or "ignore"',
            )
    elif INEVITABLE[operator](values, limit):
        yield violation(
            threshold,
            "The comparison is always true, so the alarm is on while all is well.",
            f"a threshold that tells {spoken(alarm, values)} apart",
        )


def outcome(values: Range, operator: str, limit: float) -> tuple[bool, bool]:
    """Tell whether a comparison can become true, and whether it always is."""
    return POSSIBLE[operator](values, limit), INEVITABLE[operator](values, limit)


def alarm_on_silence(values: Range, operator: str, limit: float) -> bool:
    """Tell whether a comparison is about there being too little, which silence is part of."""
    return operator in {LESS, LESS_OR_EQUAL} and not INEVITABLE[operator](values, limit)


def silence_is_good(alarm: Alarm) -> bool:
    """Tell whether all that counts in an alarm has data only while something is wrong."""
    metrics = [alarm.series[identifier].metric() for identifier in alarm.influences]
    sparse = bool(metrics) and all(metric is not None and metric.sparse for metric in metrics)
    return sparse and alarm.result is not None and alarm.result.silent


def spoken(alarm: Alarm, values: Range) -> str:
    """Say a range in words."""
    return "its values" if alarm.confidential else f"values from {values.low:g} to {values.high:g}"
