"""Whether an alarm can go off at the right time, and tells somebody when it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.alarms.actions import action_findings
from tap_guardrails.aws.alarms.comparison import comparison_findings
from tap_guardrails.aws.alarms.evaluation import evaluation_findings
from tap_guardrails.aws.alarms.identity import identity_findings
from tap_guardrails.model import Boolean, Finding, Settings, Stack, StringList, Verdict
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_guardrails.aws.alarms.alarm import Alarm

ALARM_SETTINGS: Final = (
    Boolean(
        "actionsThroughComposite",
        default=False,
        description="Whether an alarm may leave it to a composite alarm, one that goes off with it, to tell.",
    ),
    StringList(
        "moreMetrics",
        (),
        "Metrics that AWS emits and this pack does not know yet, such as `AWS/Lambda:NewMetric`.",
    ),
)
"""The settings of every policy that asks whether an alarm is effective."""


@record
class AlarmOptions:
    """What an operator says of all alarms.

    Attributes:
        through_composite: Whether a composite alarm may tell in the place of a metric alarm.
        more_metrics: Metrics to take for emitted, as `namespace:name`.
    """

    through_composite: bool
    more_metrics: frozenset[str]


def alarm_options(settings: Settings) -> AlarmOptions:
    """Take the options out of a policy's settings."""
    return AlarmOptions(
        settings.boolean("actionsThroughComposite"), frozenset(settings.strings("moreMetrics"))
    )


def alarm_findings(alarm: Alarm, stack: Stack, options: AlarmOptions) -> tuple[Finding, ...]:
    """Return all that keeps an alarm from being effective; worked out once a stack."""
    return stack.memoized(lambda _: tuple(all_findings(alarm, stack, options)), (alarm, options))


def all_findings(alarm: Alarm, stack: Stack, options: AlarmOptions) -> Iterator[Finding]:
    """Go through all that can keep an alarm from being effective."""
    yield from action_findings(alarm.resource, stack, through_composite=options.through_composite)
    yield from alarm.findings
    for series in alarm.series.values():
        yield from identity_findings(series, options.more_metrics)
    if not alarm.by_query or alarm.series:
        yield from evaluation_findings(alarm)
        yield from comparison_findings(alarm)


def effective(alarm: Alarm, stack: Stack, options: AlarmOptions) -> bool | None:
    """Tell whether an alarm is effective; None when nobody can tell."""
    verdicts = {finding.verdict for finding in alarm_findings(alarm, stack, options)}
    if Verdict.VIOLATION in verdicts:
        return False
    return None if verdicts else True
