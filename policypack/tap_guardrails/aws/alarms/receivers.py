"""Whom an alarm tells when it goes off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.alarms.composite import goes_off
from tap_guardrails.aws.location import same_location
from tap_guardrails.aws.resource_types import COMPOSITE_ALARM, METRIC_ALARM
from tap_guardrails.model import (
    Absent,
    Finding,
    Invalid,
    Known,
    PropertyRef,
    Resource,
    ResourceType,
    Stack,
    Unknown,
    Verdict,
    invalid,
    undecided,
    violation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ARN_PREFIX: Final = "arn:"
TELL: Final = "at least one action, such as the ARN of an SNS topic that somebody reads"


def action_findings(alarm: Resource, stack: Stack, *, through_composite: bool) -> Iterator[Finding]:
    """Say why an alarm tells nobody.

    Args:
        alarm: A metric alarm or a composite alarm.
        stack: The stack that it is in.
        through_composite: Whether a composite alarm that goes off with it may tell in its place.
    """
    kind = COMPOSITE_ALARM if alarm.type in COMPOSITE_ALARM.types else METRIC_ALARM
    findings = list(own_actions(alarm, kind))
    if findings and through_composite and kind is METRIC_ALARM:
        told = [told_by(composite, alarm, stack) for composite in stack.of(*COMPOSITE_ALARM.types)]
        if True in told:
            return
        if None in told:
            doubt = "Whether a composite alarm tells in the place of this alarm is not known."
            yield undecided(METRIC_ALARM.at(alarm, "alarmActions"), TELL, doubt)
            return
    yield from findings


def own_actions(alarm: Resource, kind: ResourceType) -> Iterator[Finding]:
    """Say why an alarm's own actions tell nobody."""
    enabled = kind.at(alarm, "actionsEnabled").boolean()
    match enabled:
        case Known(value) if not value:
            yield violation(enabled, "The alarm's actions are switched off.", "true, or nothing")
        case Unknown():
            yield undecided(enabled, "true, or nothing")
        case Invalid():
            yield invalid(enabled, "true, or nothing")
        case _:
            pass
    actions = kind.at(alarm, "alarmActions").items()
    match actions:
        case Known(listed):
            yield from listed_actions(actions.node, listed)
        case Absent():
            yield violation(actions, "The alarm tells nobody.", TELL)
        case Unknown():
            yield undecided(actions, TELL)
        case Invalid():
            yield invalid(actions, TELL)


def listed_actions(node: PropertyRef, listed: list[PropertyRef]) -> Iterator[Finding]:
    """Say which actions in a list are none; one that is not known yet is still one."""
    readings = [action.text() for action in listed]
    if all(isinstance(reading, Absent) for reading in readings):
        yield violation(node, "The alarm tells nobody.", TELL)
    for reading in readings:
        match reading:
            case Known(value) if not value.startswith(ARN_PREFIX):
                yield violation(reading, "An action of the alarm is no ARN, so AWS refuses it.", "an ARN")
            case Invalid():
                yield invalid(reading, "an ARN")
            case _:
                pass


def told_by(composite: Resource, alarm: Resource, stack: Stack) -> bool | None:
    """Tell whether a composite alarm goes off with an alarm and tells; None when nobody can tell."""
    near = same_location(composite, alarm)
    heard = goes_off(composite, alarm, stack)
    if near is False or heard is False:
        return False
    verdicts = {finding.verdict for finding in own_actions(composite, COMPOSITE_ALARM)}
    if Verdict.VIOLATION in verdicts:
        return False
    return None if near is None or heard is None or verdicts else True
