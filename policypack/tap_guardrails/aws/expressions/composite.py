"""Reading the rule of a composite alarm: does it go off when one of its alarms does?

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from tap_guardrails.aws.expressions.scanner import ExpressionError, Scanner

TOKEN: Final = re.compile(r"""\s*("[^"]*"|'[^']*'|[()]|[^\s()"']+)""")
STATES: Final = ("ALARM", "OK", "INSUFFICIENT_DATA")
DEEPEST: Final = 50

States: TypeAlias = Callable[[str], str]
"""Tells the state of an alarm, by its name or ARN as the rule writes it."""

Condition: TypeAlias = Callable[[States], bool]


def goes_off_with(rule: str, is_alarm: Callable[[str], bool]) -> bool:
    """Tell whether a composite alarm goes off when one alarm does while all the others are well.

    Args:
        rule: The composite alarm's rule.
        is_alarm: Whether a name or ARN in the rule is that alarm's.

    Raises:
        ExpressionError: The rule is none, or uses what this pack does not know.
    """
    condition = parse(rule)
    return condition(lambda name: "ALARM" if is_alarm(name) else "OK") and not condition(lambda _: "OK")


def watched_names(rule: str) -> list[str]:
    """Return the names or ARNs of the alarms that a rule looks at.

    Raises:
        ExpressionError: The rule is none, or uses what this pack does not know.
    """
    reader = Reader(Scanner(rule, TOKEN))
    reader.whole()
    return reader.names


def parse(rule: str) -> Condition:
    """Read a rule.

    Raises:
        ExpressionError: The rule is none, or uses what this pack does not know.
    """
    return Reader(Scanner(rule, TOKEN)).whole()


class Reader:
    """Descends through OR, AND and NOT."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._depth = 0
        self.names: list[str] = []

    def whole(self) -> Condition:
        """Read a rule to its end."""
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
        wanted = self._scanner.accept(*STATES)
        if not wanted:
            raise ExpressionError(f"expected a condition, found {self._scanner.current or 'the end'!r}")
        self._scanner.expect("(")
        name = self._scanner.take().strip("\"'")
        self._scanner.expect(")")
        self.names.append(name)
        return lambda states: states(name) == wanted
