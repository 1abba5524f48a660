"""What worlds show of an alarm: whether it can fire, is quiet while all is well, and covers one thing alone.

Each answer names a witness or goes through all the worlds that there are to try; equal alarms are asked once.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, TypeVar

from tap_guardrails.aws.alarms.alarm import ITSELF, Alarm, Series
from tap_guardrails.aws.alarms.metrics import legal_statistic
from tap_guardrails.aws.alarms.syntax import ExpressionError
from tap_guardrails.aws.alarms.worlds import (
    ABOVE_BAND,
    ALARM,
    BAND,
    BELOW_BAND,
    GREATER,
    LADDER,
    MINUTE,
    MONDAY,
    WITH_NUMBER,
    Machine,
    Plan,
    Situation,
    Source,
    Variable,
)
from tap_guardrails.model import Absent, Known, PropertyValue, Unknown
from tap_guardrails.model.values import record

T = TypeVar("T")

MOST_CACHED: Final = 2048
"""How many alarms, all different, an answer is kept for."""

DEFAULT_TIMEOUT_SECONDS: Final = 3
"""A function's timeout when it sets none."""

LONGEST_WINDOW: Final = 604_800
"""Seconds of the week that an alarm can look back at most, whatever its period."""
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 900.0
"""Between these is a function's timeout: https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html"""

RUNGS_LATER: Final = 9
"""Every so manyth rung is tried at moments other than the first."""


def plan_of(alarm: Alarm, most_events: int, unknown_timeout: float = LONGEST_SECONDS) -> tuple[Plan, bool]:
    """Return what decides when an alarm fires, and whether all of it is known.

    Args:
        alarm: The alarm.
        most_events: How many events a minute can have at most.
        unknown_timeout: What to take for a function's timeout that is not known yet, in seconds.
    """
    operator = value_or(alarm.operator, GREATER)
    compared = alarm.band if operator in BAND else alarm.threshold
    every = alarm.queries.series.values()
    known = [alarm.operator, alarm.periods, compared, *(one.period for one in every)]
    complete = (
        operator in WITH_NUMBER | BAND
        and all(isinstance(one, Known) for one in known)
        and all(isinstance(one.statistic, Known) and legal_statistic(one.statistic.value) for one in every)
        and all(one.settled for one in (alarm.missing, alarm.datapoints))
    )
    periods = max(1, value_or(alarm.periods, 1))
    subjects: dict[object, int] = {}
    sources = tuple(
        Source(
            key,
            (
                value_or(one.namespace, ""),
                value_or(one.name, ""),
                subjects.setdefault(subject_of(one), len(subjects)),
            ),
            value_or(one.statistic, "Sum"),
            min(LONGEST_WINDOW, max(1, value_or(one.period, MINUTE))),
            limit_of(one, unknown_timeout),
        )
        for key, one in alarm.queries.series.items()
    )
    plan = Plan(
        sources,
        tuple((key, one.value) for key, one in alarm.queries.expressions.items()),
        alarm.queries.returned or ITSELF,
        operator,
        None if operator in BAND else value_or(alarm.threshold, 0.0),
        value_or(alarm.missing, "missing"),
        periods,
        min(periods, max(1, value_or(alarm.datapoints, periods))),
        most_events,
    )
    return plan, complete


def value_or(prop: PropertyValue[T], default: T) -> T:
    """Return a value that is known, or another one."""
    return default if prop.value is None else prop.value


def subject_of(series: Series) -> object:
    """Return what tells what one series is about from what others are about."""
    if not isinstance(series.dimensions, Known):
        return None
    return tuple(sorted((name, str(ref.value)) for name, ref in series.dimensions.value.items()))


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


@record
class Outcome:
    """What worlds show of an alarm.

    Attributes:
        fires: Whether some world puts it in ALARM.
        rests: Whether it is not in ALARM in some world where all is well.
        unheard: Whether it is in ALARM for want of data while all is well.
    """

    fires: bool
    rests: bool
    unheard: bool = False
    low: float = math.inf
    high: float = -math.inf


@lru_cache(maxsize=MOST_CACHED)
def outcome(plan: Plan) -> Outcome:
    """Tell whether an alarm can fire, and is quiet while all is well.

    An alarm on too little of what only comes when something is wrong is on while all is well, and off in the
    worst of worlds: it rests there.

    Raises:
        RefusedError: CloudWatch does not take one of its expressions.
        ExpressionError: An expression that this pack cannot follow.
    """
    machine = Machine(plan)
    if plan.operator in BAND:
        values = {point for one in tries(machine) for point in machine.points(one) if point is not None}
        return Outcome(fires=len(values) > 1, rests=True)
    fires = rests = False
    for situation in resting(machine):
        on = machine.state(situation) == ALARM
        fires, rests = fires or on, rests or not on
        if fires and rests:
            return Outcome(fires, rests)
    unheard = not rests and math.isinf(machine.low)
    fires = fires or any(machine.state(situation) == ALARM for situation in tries(machine))
    low, high = machine.low, machine.high
    fires = fires or machine.state(Situation(1, silent=True, pattern=quiet(machine))) == ALARM
    if not rests:
        worst = Situation(
            machine.cap, machine.failing, machine.cap, LADDER[-1], pattern=next(machine.patterns())
        )
        rests = machine.state(worst) != ALARM
    return Outcome(fires, rests, unheard, low, high)


def tries(machine: Machine) -> Iterator[Situation]:
    """Go through worlds of all types, as many as are tried."""
    for situation in itertools.chain(troubled(machine), resting(machine)):
        if machine.exhausted:
            return
        yield situation


def quiet(machine: Machine) -> tuple[float, ...]:
    """Return the pattern of a world in which nothing changes."""
    return next(machine.patterns())


def resting(machine: Machine) -> Iterator[Situation]:
    """Go through worlds in which all is well: first those of one moment, then those of others."""
    rungs = machine.assignments()
    for pattern, (offset, stride), calls in itertools.product(machine.patterns(), rungs, machine.calls()):
        yield Situation(calls, offset=offset, stride=stride, pattern=pattern)
    for (offset, stride), start in itertools.product(rungs[::RUNGS_LATER], machine.later()):
        yield Situation(10, offset=offset, stride=stride, pattern=quiet(machine), start=start)


def troubled(machine: Machine) -> Iterator[Situation]:
    """Go through worlds in which all that can fail fails, or one thing of several."""
    groups = [machine.failing] if machine.failing else []
    if len(machine.failing) > 1:
        groups += [frozenset({one}) for one in machine.variables if one in machine.failing]
    rungs = machine.assignments()
    for failing, pattern in itertools.product(groups, machine.patterns()):
        for (calls, failed, amount), (offset, stride) in itertools.product(machine.severities(), rungs):
            yield Situation(calls, failing, failed, amount, offset=offset, stride=stride, pattern=pattern)
    worst = next(iter(machine.severities()))
    for failing, (offset, stride), start in itertools.product(groups, rungs[::RUNGS_LATER], machine.later()):
        yield Situation(
            *worst[:1], failing, *worst[1:], offset=offset, stride=stride, pattern=quiet(machine), start=start
        )


def covers_alone(alarm: Alarm, key: str, most_events: int) -> bool | None:
    """Return whether an alarm goes from quiet to ALARM when one thing fails alone; None while undecided."""
    plan, complete = (None, False) if alarm.queries.findings else plan_of(alarm, most_events)
    if plan is None or not complete:
        return None
    try:
        return covers(plan, next(source.variable for source in plan.sources if source.key == key))
    except ExpressionError:
        return None


@lru_cache(maxsize=MOST_CACHED)
def covers(plan: Plan, variable: Variable) -> bool:
    """Tell whether an alarm is quiet while all is well, and fires when one thing fails alone.

    Of what this pack cannot say how it is while all is well, one level is taken that suits the alarm.

    Raises:
        RefusedError: CloudWatch does not take one of its expressions.
        ExpressionError: An expression that this pack cannot follow.
    """
    machine = Machine(plan)
    lowered = frozenset(one for one in machine.levels if one[:2] == variable[:2])
    return any(
        wakes_up(machine, variable, lowered, rungs) and stays_quiet(machine, lowered, rungs)
        for rungs in machine.assignments(lowered)
    )


def stays_quiet(machine: Machine, lowered: frozenset[Variable], rungs: tuple[int, int]) -> bool:
    """Tell whether an alarm is off however often functions are called, at any time, while nothing fails."""
    if machine.plan.operator in BAND:
        return True
    moments = [*((MONDAY, calls) for calls in machine.calls()), *((start, 10) for start in machine.later())]
    return not any(
        machine.state(calm(machine, calls, lowered, rungs, start)) == ALARM for start, calls in moments
    )


def wakes_up(
    machine: Machine, variable: Variable, lowered: frozenset[Variable], rungs: tuple[int, int]
) -> bool:
    """Tell whether some way of failing puts an alarm in ALARM that is off without it."""
    failing = frozenset({variable})
    ways = [(way, pattern, MONDAY) for pattern in machine.patterns() for way in machine.severities()]
    ways += [(next(iter(machine.severities())), quiet(machine), start) for start in machine.later()]
    for (calls, failed, amount), pattern, start in ways:
        if machine.exhausted:
            return False
        bad = Situation(calls, failing, failed, amount, lowered, *rungs, pattern, start)
        if differs(machine, calm(machine, calls, lowered, rungs, start), bad):
            return True
    return False


def differs(machine: Machine, good: Situation, bad: Situation) -> bool:
    """Tell whether an alarm is off in one world and in ALARM in another."""
    if machine.plan.operator in BAND:
        # Above what is usual, or below, on the side that the alarm looks at.
        usual, point, operator = machine.points(good)[-1], machine.points(bad)[-1], machine.plan.operator
        above = point is not None and operator != BELOW_BAND and (usual is None or point > usual)
        below = point is not None and operator != ABOVE_BAND and usual is not None and point < usual
        return above or below
    return machine.state(bad) == ALARM and machine.state(good) != ALARM


def calm(
    machine: Machine, calls: int, lowered: frozenset[Variable], rungs: tuple[int, int], start: int
) -> Situation:
    """Return the world in which nothing fails, and nothing changes."""
    return Situation(
        calls, lowered=lowered, offset=rungs[0], stride=rungs[1], pattern=quiet(machine), start=start
    )


def tried(plan: Plan) -> None:
    """Work an alarm's expressions out in one world, to see that they can be.

    Raises:
        RefusedError: CloudWatch does not take one of them.
        ExpressionError: This pack cannot follow one.
    """
    machine = Machine(plan)
    machine.points(Situation(1, pattern=quiet(machine)))
