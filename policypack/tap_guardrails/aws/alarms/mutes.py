"""Rules that mute alarms: whether one does so all the time.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-mute-rules.html
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.alarms.composite import names_alarm
from tap_guardrails.aws.location import same_location
from tap_guardrails.aws.resource_types import MUTE_RULE
from tap_guardrails.model import Absent, Invalid, Known, Unknown, as_set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_guardrails.model import Resource, Stack

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
        readings = [one.text() for one in names.value] if isinstance(names, Known) else []
        unknown = isinstance(names, Unknown) or any(isinstance(one, Unknown) for one in readings)
        muted = tuple(one.value for one in readings if isinstance(one, Known))
        rules.append((rule, None if unknown else muted, permanent is True))
    return tuple(rules)


def is_permanent(rule: Resource) -> bool | None:
    """Return whether a rule's schedule leaves no minute out, and never ends; None while that is undecided."""
    schedule = MUTE_RULE.at(rule, "rule", "schedule")
    expression, duration = schedule.at("expression").text(), schedule.at("duration").text()
    ends = as_set(rule, MUTE_RULE.at(rule, "expireDate")).text()
    if isinstance(ends, (Known, Invalid)):
        return False
    if isinstance(expression, Known) and isinstance(duration, Known):
        cron, lasting = CRON.fullmatch(expression.value), minutes_of(duration.value)
        if cron is None or lasting is None or not leaves_nothing_out(cron.groups(), lasting):
            return False
        return True if isinstance(ends, Absent) else None
    return None if any(isinstance(one, Unknown) for one in (expression, duration)) else False


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
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        every = int(step) if step else 1
        if span in {"*", "?"}:
            first, last = low, high
        else:
            start, _, end = span.partition("-")
            first = number(start, low, names)
            last = number(end, low, names) if end else (high if step else first)
        if not (low <= first <= high and low <= last <= high and every >= 1):
            raise ValueError(field)
        found.update(range(first, last + 1, every))
    return frozenset(found)


def number(word: str, low: int, names: tuple[str, ...]) -> int:
    """Return a number of a cron expression, or that of a day's or a month's name."""
    return names.index(word.upper()) + low if word.upper() in names else int(word)
