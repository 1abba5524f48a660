"""Composite alarms: their rules over other alarms, and whether one goes off when one of its alarms does.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING, Final, TypeAlias

from tap_guardrails.aws.alarms.syntax import DEEPEST, ExpressionError, Scanner
from tap_guardrails.aws.resource_types import COMPOSITE_ALARM, METRIC_ALARM
from tap_guardrails.model import Finding, Known, Resource, Stack, Unknown, as_set, must, undecided, violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_guardrails.model import PropertyValue

TOKEN: Final = re.compile(r"""\s*("[^"]*"|'[^']*'|[(),]|[^\s()"',]+)""")
MOST_TRIED: Final = 7
STATES: Final = ("ALARM", "OK", "INSUFFICIENT_DATA")
A_RULE: Final = 'a rule over other alarms, such as ALARM("errors") OR ALARM("throttles")'

States: TypeAlias = Callable[[str], str]
"""Tells the state of an alarm, by its name or ARN as the rule writes it."""

Condition: TypeAlias = Callable[[States], bool]


class RuleParser:
    """Descends through OR, AND and NOT of one rule."""

    def __init__(self, rule: str) -> None:
        """Take a rule.

        Raises:
            ExpressionError: Something in it is no token.
        """
        self._scanner = Scanner(rule, TOKEN)
        self._depth = 0
        self.names: list[str] = []

    def whole(self) -> Condition:
        """Read the rule to its end, or raise `ExpressionError`."""
        condition = self._any()
        self._scanner.finish()
        return condition

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._scanner.accept("OR"):
            parts.append(self._all())
        return lambda states: any(part(states) for part in parts)

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._scanner.accept("AND"):
            parts.append(self._one())
        return lambda states: all(part(states) for part in parts)

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError("nested too deep")
        condition = self._primary()
        self._depth -= 1
        return condition

    def _primary(self) -> Condition:
        if self._scanner.accept("NOT"):
            inner = self._one()
            return lambda states: not inner(states)
        if self._scanner.accept("("):
            inner = self._any()
            self._scanner.expect(")")
            return inner
        if constant := self._scanner.accept("TRUE", "FALSE"):
            return lambda _: constant == "TRUE"
        if self._scanner.accept("AT_LEAST"):
            return self._at_least()
        wanted = self._scanner.accept(*STATES)
        if not wanted:
            raise ExpressionError(f"expected a condition, found {self._scanner.current or 'the end'!r}")
        self._scanner.expect("(")
        name = self._name()
        self._scanner.expect(")")
        return lambda states: states(name) == wanted

    def _at_least(self) -> Condition:
        self._scanner.expect("(")
        count = self._scanner.take().strip("\"'")
        self._scanner.expect(",")
        negated = bool(self._scanner.accept("NOT"))
        wanted = self._scanner.accept(*STATES)
        if not wanted:
            raise ExpressionError(f"expected a state, found {self._scanner.current or 'the end'!r}")
        self._scanner.expect(",")
        self._scanner.expect("(")
        names = [self._name()]
        while self._scanner.accept(","):
            names.append(self._name())
        self._scanner.expect(")")
        self._scanner.expect(")")
        needed = share_of(count, len(names))
        return lambda states: sum((states(name) == wanted) != negated for name in names) >= needed

    def _name(self) -> str:
        name = self._scanner.take().strip("\"'")
        if not name or name in {"(", ")", ","}:
            raise ExpressionError("expected the name of an alarm")
        self.names.append(name)
        return name


def share_of(count: str, total: int) -> int:
    """Return how many alarms a number or a percentage asks for, or raise `ExpressionError`."""
    digits = count.removesuffix("%")
    if not digits.isdecimal():
        raise ExpressionError(f"expected a number or a percentage, found {count or 'the end'!r}")
    return math.ceil(int(digits) * total / 100) if digits != count else int(digits)


def parse_rule(rule: str) -> tuple[Condition, list[str]]:
    """Return a rule's condition and the alarms that it looks at, or raise `ExpressionError`."""
    parser = RuleParser(rule)
    return parser.whole(), parser.names


def goes_off_with(rule: str, is_alarm: Callable[[str], bool]) -> bool:
    """Return whether a rule is true when one alarm is in ALARM while all the others are well, and only then.

    Args:
        rule: The composite alarm's rule.
        is_alarm: Whether a name or ARN in the rule is that alarm's.

    Raises:
        ExpressionError: The rule is none, or uses what this pack does not know.
    """
    condition, _ = parse_rule(rule)
    return condition(lambda name: "ALARM" if is_alarm(name) else "OK") and not condition(lambda _: "OK")


def names_alarm(written: str, name: str) -> bool:
    """Tell whether a name or an ARN in a rule is that of an alarm."""
    return written == name or written.endswith(f":alarm:{name}")


def goes_off(composite: Resource, alarm: Resource, stack: Stack) -> bool | None:
    """Return whether a composite alarm goes off when an alarm does; None while that is undecided."""
    rule = COMPOSITE_ALARM.at(composite, "alarmRule")
    reading = rule.text()
    if isinstance(reading, Unknown):
        alarms = stack.dependencies_of(composite, rule.top, (*METRIC_ALARM.types, *COMPOSITE_ALARM.types))
        return None if not alarms or alarm in alarms else False
    name = METRIC_ALARM.physical_name(alarm)
    if not isinstance(reading, Known):
        return False
    if name is None:
        return None
    try:
        return goes_off_with(reading.value, lambda written: names_alarm(written, name))
    except ExpressionError:
        return None


def suppressor(composite: Resource) -> PropertyValue[str]:
    """Read the name or ARN of the alarm that keeps a composite alarm's actions back."""
    node = as_set(composite, COMPOSITE_ALARM.at(composite, "actionsSuppressor"))
    return node.at("alarm").text() if isinstance(node.value, dict) else node.text()


def suppressed_by(composite: Resource, alarm: Resource) -> bool:
    """Tell whether an alarm keeps a composite alarm's actions back."""
    name = METRIC_ALARM.physical_name(alarm)
    named = suppressor(composite)
    return name is not None and isinstance(named, Known) and names_alarm(named.value, name)


def rule_findings(composite: Resource) -> Iterator[Finding]:
    """Say why a composite alarm never goes off, or always does."""
    rule = COMPOSITE_ALARM.at(composite, "alarmRule").text()
    yield from must(rule, bool, problem="The composite alarm has no rule.", required=A_RULE)
    if not isinstance(rule, Known):
        return
    try:
        condition, names = parse_rule(rule.value)
    except ExpressionError:
        yield undecided(
            rule,
            A_RULE,
            "The rule of the composite alarm cannot be followed.",
            "Write the rule with ALARM, OK, INSUFFICIENT_DATA, AT_LEAST, AND, OR, NOT and parentheses.",
        )
        return
    if not names:
        yield violation(rule, "The composite alarm looks at no alarm, so its state never changes.", A_RULE)
    elif condition(lambda _: "OK"):
        yield violation(rule, "The composite alarm is on while all its alarms are well.", A_RULE)
    elif not can_be_true(condition, names):
        yield violation(rule, "The rule of the composite alarm can never be true.", A_RULE)
    else:
        yield from suppressor_findings(composite, condition, names)


def suppressor_findings(composite: Resource, condition: Condition, names: list[str]) -> Iterator[Finding]:
    """Say that a composite alarm is only on while what keeps its actions back is."""
    named, required = suppressor(composite), "an alarm that the rule does not need"
    if isinstance(named, Unknown):
        yield undecided(named, required)
    elif isinstance(named, Known) and not can_be_true(condition, names, calm=named.value):
        problem = "The composite alarm is only on while its suppressor is, which keeps its actions back."
        yield violation(COMPOSITE_ALARM.at(composite, "actionsSuppressor"), problem, required)


def can_be_true(condition: Condition, names: list[str], calm: str = "") -> bool:
    """Tell whether some states of its alarms make a rule true; with many alarms it is believed.

    Args:
        condition: The rule.
        names: The alarms that it looks at, by name or ARN.
        calm: An alarm that is not in ALARM meanwhile.
    """
    distinct = list(dict.fromkeys(names))
    if len(distinct) > MOST_TRIED:
        return True
    choices = [STATES[1:] if same_alarm(name, calm) else STATES for name in distinct]
    return any(
        condition(dict(zip(distinct, states, strict=True)).__getitem__) for states in product(*choices)
    )


def same_alarm(one: str, other: str) -> bool:
    """Tell whether two names or ARNs are those of one alarm."""
    return bool(other) and one.rpartition(":alarm:")[2] == other.rpartition(":alarm:")[2]
