"""What worlds show of an alarm: whether it can fire, is quiet while all is well, and covers one thing alone.

Each answer names a witness or goes through all the worlds that there are to try; equal alarms are asked once.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.alarms.plan import ABOVE_BAND, BAND, BELOW_BAND, Plan, Variable
from tap_guardrails.aws.alarms.worlds import ALARM, LADDER, MONDAY, Machine, Situation
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator

PLANS: Final = 2048
"""How many alarms, all different, an answer is kept for."""

RUNGS_LATER: Final = 9
"""Every so manyth rung is tried at moments other than the first."""


@record
class Outcome:
    """What worlds show of an alarm.

    Attributes:
        fires: Whether some world puts it in ALARM.
        rests: Whether it is not in ALARM in some world where all is well.
        unheard: Whether it is in ALARM for want of data while all is well.
        low: The least value that was compared.
        high: The greatest.
    """

    fires: bool
    rests: bool
    unheard: bool = False
    low: float = math.inf
    high: float = -math.inf


@lru_cache(maxsize=PLANS)
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
    fires = fires or machine.state(Situation(1, silent=True, shape=quiet(machine))) == ALARM
    if not rests:
        worst = Situation(machine.cap, machine.failing, machine.cap, LADDER[-1], shape=next(machine.shapes()))
        rests = machine.state(worst) != ALARM
    return Outcome(fires, rests, unheard, low, high)


def tries(machine: Machine) -> Iterator[Situation]:
    """Go through worlds of all sorts, as many as are tried."""
    for situation in itertools.chain(troubled(machine), resting(machine)):
        if machine.exhausted:
            return
        yield situation


def quiet(machine: Machine) -> tuple[float, ...]:
    """Return the shape of a world in which nothing changes."""
    return next(machine.shapes())


def resting(machine: Machine) -> Iterator[Situation]:
    """Go through worlds in which all is well: first those of one moment, then those of others."""
    rungs = machine.assignments()
    for shape, (offset, stride), calls in itertools.product(machine.shapes(), rungs, machine.calls()):
        yield Situation(calls, offset=offset, stride=stride, shape=shape)
    for (offset, stride), start in itertools.product(rungs[::RUNGS_LATER], machine.later()):
        yield Situation(10, offset=offset, stride=stride, shape=quiet(machine), start=start)


def troubled(machine: Machine) -> Iterator[Situation]:
    """Go through worlds in which all that can fail fails, or one thing of several."""
    groups = [machine.failing] if machine.failing else []
    if len(machine.failing) > 1:
        groups += [frozenset({one}) for one in machine.variables if one in machine.failing]
    rungs = machine.assignments()
    for failing, shape in itertools.product(groups, machine.shapes()):
        for (calls, failed, amount), (offset, stride) in itertools.product(machine.severities(), rungs):
            yield Situation(calls, failing, failed, amount, offset=offset, stride=stride, shape=shape)
    worst = next(iter(machine.severities()))
    for failing, (offset, stride), start in itertools.product(groups, rungs[::RUNGS_LATER], machine.later()):
        yield Situation(
            *worst[:1], failing, *worst[1:], offset=offset, stride=stride, shape=quiet(machine), start=start
        )


def leaves_band(operator: str, usual: float | None, point: float) -> bool:
    """Tell whether a value is above or below what is usual, on the side that the alarm looks at."""
    if usual is None:
        return operator != BELOW_BAND
    return (operator != BELOW_BAND and point > usual) or (operator != ABOVE_BAND and point < usual)


@lru_cache(maxsize=PLANS)
def covers(plan: Plan, variable: Variable) -> tuple[bool, bool]:
    """Tell whether an alarm fires when one thing fails alone, and whether it is quiet while all is well.

    Of what this pack cannot say how it is while all is well, one level is taken that suits the alarm.

    Args:
        plan: The alarm.
        variable: What fails.

    Returns:
        Whether it goes from quiet to ALARM in some world, and whether it also is quiet however much goes on.

    Raises:
        RefusedError: CloudWatch does not take one of its expressions.
        ExpressionError: An expression that this pack cannot follow.
    """
    machine = Machine(plan)
    lowered = frozenset(one for one in machine.levels if one[:2] == variable[:2])
    wakes = False
    for offset, stride in machine.assignments(lowered):
        found = wakes_up(machine, variable, lowered, (offset, stride))
        if found and stays_quiet(machine, lowered, (offset, stride)):
            return True, True
        wakes = wakes or found
    return wakes, False


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
    ways = [(way, shape, MONDAY) for shape in machine.shapes() for way in machine.severities()]
    ways += [(next(iter(machine.severities())), quiet(machine), start) for start in machine.later()]
    for (calls, failed, amount), shape, start in ways:
        if machine.exhausted:
            return False
        bad = Situation(calls, failing, failed, amount, lowered, *rungs, shape, start)
        if differs(machine, calm(machine, calls, lowered, rungs, start), bad):
            return True
    return False


def differs(machine: Machine, good: Situation, bad: Situation) -> bool:
    """Tell whether an alarm is off in one world and in ALARM in another."""
    if machine.plan.operator in BAND:
        usual, point = machine.points(good)[-1], machine.points(bad)[-1]
        return point is not None and leaves_band(machine.plan.operator, usual, point)
    return machine.state(bad) == ALARM and machine.state(good) != ALARM


def calm(
    machine: Machine, calls: int, lowered: frozenset[Variable], rungs: tuple[int, int], start: int
) -> Situation:
    """Return the world in which nothing fails, and nothing changes."""
    return Situation(
        calls, lowered=lowered, offset=rungs[0], stride=rungs[1], shape=quiet(machine), start=start
    )


def tried(plan: Plan) -> None:
    """Work an alarm's expressions out in one world, to see that they can be.

    Raises:
        RefusedError: CloudWatch does not take one of them.
        ExpressionError: This pack cannot follow one.
    """
    machine = Machine(plan)
    machine.points(Situation(1, shape=quiet(machine)))
