"""What may notify instead of an alarm, and what keeps its actions back: composite alarms and mute rules.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-mute-rules.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import product
from typing import Final, TypeAlias

from tap_guardrails.aws import COMPOSITE_ALARM, METRIC_ALARM, MUTE_RULE
from tap_guardrails.aws.alarms.syntax import DEEPEST, ExpressionError, Scanner
from tap_guardrails.aws.sub_resources import same_location
from tap_guardrails.model import Finding, Invalid, Known, PropertyValue, Resource, Stack, Unknown

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

    def rule(self) -> Condition:
        """Read the rule to its end, or raise `ExpressionError`."""
        condition = self._any()
        self._scanner.finish()
        return condition

    def _any(self) -> Condition:
        parts = self._scanner.several(self._all, "OR")
        return lambda states: any(condition(states) for condition in parts)

    def _all(self) -> Condition:
        parts = self._scanner.several(self._one, "AND")
        return lambda states: all(condition(states) for condition in parts)

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
        wanted = self._scanner.one_of("a condition", *STATES)
        self._scanner.expect("(")
        name = self._name()
        self._scanner.expect(")")
        return lambda states: states(name) == wanted

    def _at_least(self) -> Condition:
        self._scanner.expect("(")
        count = self._scanner.take().strip("\"'")
        self._scanner.expect(",")
        negated = bool(self._scanner.accept("NOT"))
        wanted = self._scanner.one_of("a state", *STATES)
        self._scanner.expect(",")
        self._scanner.expect("(")
        names = self._scanner.several(self._name)
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
    return parser.rule(), parser.names


def goes_off_with(rule: str, is_alarm: Callable[[str], bool]) -> bool:
    """Return whether a rule is true when one alarm is in ALARM while all the others are well, and only then.

    Raises:
        ExpressionError: The rule is none, or uses what this pack does not know.
    """
    condition, _ = parse_rule(rule)
    return condition(lambda name: "ALARM" if is_alarm(name) else "OK") and not condition(lambda _: "OK")


def names_alarm(given: str, name: str) -> bool:
    """Tell whether two names or ARNs are those of one alarm."""
    return given.rpartition(":alarm:")[2] == name.rpartition(":alarm:")[2]


def goes_off(composite: Resource, alarm: Resource, stack: Stack) -> bool | None:
    """Return whether a composite alarm goes off when an alarm does; None while that is undecided."""
    rule = COMPOSITE_ALARM.at(composite, "alarmRule")
    prop = rule.text()
    if prop.unknown:
        alarms = stack.dependencies_of(composite, rule.top, (*METRIC_ALARM.types, *COMPOSITE_ALARM.types))
        return None if not alarms or alarm in alarms else False
    name = METRIC_ALARM.physical_name(alarm)
    if not isinstance(prop, Known):
        return False
    if name is None:
        return None
    try:
        return goes_off_with(prop.value, lambda given: names_alarm(given, name))
    except ExpressionError:
        return None


def suppressor(composite: Resource) -> PropertyValue[str]:
    """Read the name or ARN of the alarm that keeps a composite alarm's actions back."""
    ref = composite.as_set(COMPOSITE_ALARM.at(composite, "actionsSuppressor"))
    return ref.at("alarm").text() if isinstance(ref.value, dict) else ref.text()


def suppressed_by(composite: Resource, alarm: Resource) -> bool:
    """Tell whether an alarm keeps a composite alarm's actions back."""
    name = METRIC_ALARM.physical_name(alarm)
    named = suppressor(composite)
    return name is not None and named.value is not None and names_alarm(named.value, name)


def rule_findings(composite: Resource) -> Iterator[Finding]:
    """Say why a composite alarm never goes off, or always does."""
    rule = COMPOSITE_ALARM.at(composite, "alarmRule").text()
    yield from rule.must(bool, problem="The composite alarm has no rule.", required=A_RULE)
    if not isinstance(rule, Known):
        return
    try:
        condition, names = parse_rule(rule.value)
    except ExpressionError:
        yield rule.undecided(
            A_RULE,
            "The rule of the composite alarm cannot be followed.",
            "Write the rule with ALARM, OK, INSUFFICIENT_DATA, AT_LEAST, AND, OR, NOT and parentheses.",
        )
        return
    if not names:
        yield rule.violation("The composite alarm looks at no alarm, so its state never changes.", A_RULE)
    elif condition(lambda _: "OK"):
        yield rule.violation("The composite alarm is on while all its alarms are well.", A_RULE)
    elif not can_be_true(condition, names):
        yield rule.violation("The rule of the composite alarm can never be true.", A_RULE)
    else:
        yield from suppressor_findings(composite, condition, names)


def suppressor_findings(composite: Resource, condition: Condition, names: list[str]) -> Iterator[Finding]:
    """Say that a composite alarm is only on while what keeps its actions back is."""
    named, required = suppressor(composite), "an alarm that the rule does not need"
    if named.unknown:
        yield named.undecided(required)
    elif isinstance(named, Known) and not can_be_true(condition, names, calm=named.value):
        problem = "The composite alarm is only on while its suppressor is, which keeps its actions back."
        yield COMPOSITE_ALARM.at(composite, "actionsSuppressor").violation(problem, required)


def can_be_true(condition: Condition, names: list[str], calm: str = "") -> bool:
    """Tell whether some states of its alarms make a rule true; with many alarms it is believed."""
    distinct = list(dict.fromkeys(names))
    if len(distinct) > MOST_TRIED:
        return True
    choices = [STATES[1:] if calm and names_alarm(name, calm) else STATES for name in distinct]
    return any(
        condition(dict(zip(distinct, states, strict=True)).__getitem__) for states in product(*choices)
    )


CRON: Final = re.compile(r"\s*cron\(\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*\)\s*", re.IGNORECASE)
DURATION: Final = re.compile(
    r"P(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,4})D)?"
    r"(?:T(?:(?P<hours>\d{1,4})H)?(?:(?P<minutes>\d{1,5})M)?(?:\d{1,6}S)?)?"
)
DAYS_OF_WEEK: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAY_MINUTES: Final = 24 * 60
FIRST_DAY: Final = date(2026, 1, 1)
DAYS_LOOKED_AT: Final = 730


def always_muted_by(alarm: Resource, name: str | None, stack: Stack) -> Iterator[tuple[Resource, bool]]:
    """Go through the rules that mute an alarm all the time, each with whether that is certain."""
    if name is None:
        return
    for rule, muted, certain in stack.memoized(permanent_rules):
        named = muted is None or any(names_alarm(one, name) for one in muted)
        if named and same_location(rule, alarm) is not False:
            yield rule, certain and muted is not None


def permanent_rules(stack: Stack) -> tuple[tuple[Resource, tuple[str, ...] | None, bool], ...]:
    """Return the rules that mute all the time: each with the alarms that it mutes, and whether it is certain.

    The alarms are None while they are unknown.
    """
    rules: list[tuple[Resource, tuple[str, ...] | None, bool]] = []
    for rule in stack.of(*MUTE_RULE.types):
        names, permanent = MUTE_RULE.at(rule, "muteTargets", "alarmNames").items(), is_permanent(rule)
        if permanent is False or not isinstance(names, (Known, Unknown)):
            continue
        props = [one.text() for one in names.value] if isinstance(names, Known) else []
        unknown = names.unknown or any(one.unknown for one in props)
        muted = tuple(one.value for one in props if isinstance(one, Known))
        rules.append((rule, None if unknown else muted, permanent is True))
    return tuple(rules)


def is_permanent(rule: Resource) -> bool | None:
    """Return whether a rule's schedule leaves no minute out, and never ends; None while that is undecided."""
    schedule = MUTE_RULE.at(rule, "rule", "schedule")
    expression, duration = schedule.at("expression").text(), schedule.at("duration").text()
    ends = rule.as_set(MUTE_RULE.at(rule, "expireDate")).text()
    if isinstance(ends, (Known, Invalid)):
        return False
    if isinstance(expression, Known) and isinstance(duration, Known):
        cron, lasting = CRON.fullmatch(expression.value), minutes_of(duration.value)
        if cron is None or lasting is None or not leaves_nothing_out(cron.groups(), lasting):
            return False
        return True if ends.absent else None
    return None if any(one.unknown for one in (expression, duration)) else False


def minutes_of(duration: str) -> int | None:
    """Return the minutes of a duration as ISO 8601 writes it."""
    match = DURATION.fullmatch(duration)
    if match is None:
        return None
    weeks, days, hours, minutes = (int(match[name] or 0) for name in ("weeks", "days", "hours", "minutes"))
    return ((weeks * 7 + days) * 24 + hours) * 60 + minutes


def leaves_nothing_out(fields: tuple[str, ...], lasting: int) -> bool:
    """Tell whether what starts at the times of a cron expression, and lasts so long, never pauses."""
    minute, hour, day, month, weekday = fields
    try:
        minutes, hours = values(minute, 0, 59), values(hour, 0, 23)
        days, months = values(day, 1, 31), values(month, 1, 12, MONTHS)
        weekdays = {value % 7 for value in values(weekday, 0, 7, DAYS_OF_WEEK)}
    except ValueError:
        return False
    starts = sorted(60 * hour + minute for hour in hours for minute in minutes)
    every_day, every_weekday = day in {"*", "?"}, weekday in {"*", "?"}
    muted_until: int | None = None
    for offset in range(DAYS_LOOKED_AT):
        today = FIRST_DAY + timedelta(days=offset)
        by_day, by_weekday = today.day in days, today.isoweekday() % 7 in weekdays
        # As in every cron: with both given, either is enough.
        fits = (by_day and by_weekday) if every_day or every_weekday else (by_day or by_weekday)
        if today.month not in months or not fits:
            continue
        for start in starts:
            moment = offset * DAY_MINUTES + start
            if muted_until is not None and moment > muted_until:
                return False
            muted_until = moment + lasting
    return muted_until is not None and muted_until >= DAYS_LOOKED_AT * DAY_MINUTES


def values(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """Return the numbers that a field of a cron expression stands for, or raise `ValueError`."""
    numbers: set[int] = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        every = int(step) if step else 1
        if span in {"*", "?"}:
            first, last = low, high
        else:
            start, _, end = span.partition("-")
            first = number(start, low, names)
            last = number(end, low, names) if end else (high if step else first)
        if not (low <= first <= high and low <= last <= high and every >= 1):
            raise ValueError(field)
        numbers.update(range(first, last + 1, every))
    return frozenset(numbers)


def number(word: str, low: int, names: tuple[str, ...]) -> int:
    """Return a number of a cron expression, or that of a day's or a month's name."""
    return names.index(word.upper()) + low if word.upper() in names else int(word)
