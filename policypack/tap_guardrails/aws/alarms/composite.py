"""Whether the rule of a composite alarm looks at any alarm, and can go off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.expressions.composite import parse, watched_names
from tap_guardrails.aws.expressions.scanner import ExpressionError
from tap_guardrails.aws.resource_types import COMPOSITE_ALARM
from tap_guardrails.model import Finding, Known, Resource, must, undecided, violation

if TYPE_CHECKING:
    from collections.abc import Iterator

A_RULE: Final = 'a rule over other alarms, such as ALARM("errors") OR ALARM("throttles")'


def composite_findings(composite: Resource) -> Iterator[Finding]:
    """Say why a composite alarm never goes off, or always does."""
    rule = COMPOSITE_ALARM.at(composite, "alarmRule").text()
    yield from must(rule, bool, problem="The composite alarm has no rule.", required=A_RULE)
    if not isinstance(rule, Known):
        return
    try:
        names, condition = watched_names(rule.value), parse(rule.value)
    except ExpressionError:
        yield undecided(
            rule,
            A_RULE,
            "The rule of the composite alarm cannot be followed.",
            "Write the rule with ALARM, OK, INSUFFICIENT_DATA, AND, OR, NOT and parentheses.",
        )
        return
    if not names:
        yield violation(rule, "The composite alarm looks at no alarm, so its state never changes.", A_RULE)
    elif condition(lambda _: "OK"):
        yield violation(rule, "The composite alarm is on while all its alarms are well.", A_RULE)
