"""Can an alarm fire, and on what: shown by worlds that AWS could produce, one of which is a witness.

A world says how often functions are called, what fails and how badly, and what all else is at. Errors never
exceed calls, counts are whole and not negative, a duration ends at the timeout, and what is sent only while
something is wrong is silent while all is well.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from tap_guardrails.aws import table
from tap_guardrails.aws.alarms.metric_math import (
    CLOCK,
    OUTSIDE,
    REDUCERS,
    WINDOWED,
    Calculator,
    Points,
    Value,
)
from tap_guardrails.aws.alarms.metrics import NOUGHT_OR_ONE, OF_EVENTS, ONE, Behaviour, lookup
from tap_guardrails.aws.alarms.syntax import (
    Call,
    Expression,
    Name,
    Number,
    RefusedError,
    in_order,
    parse,
    parts,
)
from tap_guardrails.model.values import record

Variable: TypeAlias = tuple[str, str, int]
"""A metric of one thing: namespace, name, and which of the alarm's sets of dimensions."""

GREATER, GREATER_OR_EQUAL = "GreaterThanThreshold", "GreaterThanOrEqualToThreshold"
LESS, LESS_OR_EQUAL = "LessThanThreshold", "LessThanOrEqualToThreshold"
ABOVE_BAND, BELOW_BAND = "GreaterThanUpperThreshold", "LessThanLowerThreshold"
OUTSIDE_BAND: Final = "LessThanLowerOrGreaterThanUpperThreshold"

BAND: Final = frozenset({ABOVE_BAND, BELOW_BAND, OUTSIDE_BAND})
WITH_NUMBER: Final = frozenset[str](table("cloudwatch")["comparisonOperators"]) - BAND

MINUTE: Final = 60

MOST_TRIED: Final = 4_000
"""How many worlds are tried before an alarm is said never to fire."""

LOOKED_AT: Final = 6
"""Periods of a window that a world has at most; a longer one is made shorter, with its share of bad ones."""

HOUR, DAY = 3600, 86_400
MONDAY: Final = 1_767_571_200
"""The start of a week, 5 January 2026."""

LADDER: Final = (0.0, 1.0, 0.5, 2.0, 5.0, 10.0, 50.0, 99.0, 1e3, 1e5, 1e9, 1e15)
SEVERITIES: Final = (
    (10, 1), (10, 3), (10, 5), (10, 7), (10, 10), (1000, 1), (1000, 10), (1000, 100), (1000, 1000), (1, 1),
)  # fmt: skip
"""How many of how many calls fail."""

COMPARED: Final[dict[str, Callable[[float, float], bool]]] = {
    GREATER: operator.gt,
    GREATER_OR_EQUAL: operator.ge,
    LESS: operator.lt,
    LESS_OR_EQUAL: operator.le,
}
ALARM, OK, INSUFFICIENT = "ALARM", "OK", "INSUFFICIENT_DATA"
TALLIES: Final = frozenset({"Sum", "SampleCount"})
"""Statistics that grow with the number of events, however large each is."""


class Source(NamedTuple):
    """A metric of an alarm.

    Attributes:
        period: The length of a period, in seconds.
        limit: The most that a value can be, for the duration of a function whose timeout is known.
    """

    key: str
    variable: Variable
    statistic: str
    period: int
    limit: float


class Plan(NamedTuple):
    """All of an alarm that decides when it fires; equal alarms on different things have equal plans.

    Attributes:
        returned: The identifier of the query that is compared.
        threshold: What is compared with; None for a band of normal values.
        periods: How many periods are looked at.
        datapoints: How many of them have to be bad.
        most_events: How many events a minute can have at most.
    """

    sources: tuple[Source, ...]
    expressions: tuple[tuple[str, str], ...]
    returned: str
    operator: str
    threshold: float | None
    missing: str
    periods: int
    datapoints: int
    most_events: int


@record
class Situation:
    """One world.

    Attributes:
        calls: How often each function is called in a period.
        failed: How many of the calls fail, or how many events there are of what is only sent then.
        amount: What a failing level is at.
        lowered: The levels that are as low as they can be.
        offset: Which rung of the ladder the first of all else is at.
        stride: How many rungs apart the others are.
        pattern: How much of it all there is in each period, of 1.
    """

    calls: int
    failing: frozenset[Variable] = frozenset()
    failed: int = 0
    amount: float = 0.0
    lowered: frozenset[Variable] = frozenset()
    offset: int = 0
    stride: int = 0
    pattern: tuple[float, ...] = (1.0,)
    start: int = MONDAY
    silent: bool = False


def behaviour_of(variable: Variable) -> Behaviour | None:
    """Return how a variable's metric behaves, or None when that is not known."""
    metric = lookup(variable[0], variable[1])
    return metric.behaviour if metric is not None and metric.behaviour.unit else None


def is_call(metric: Behaviour | None) -> bool:
    """Tell whether each call is a sample of this metric, and nothing else is."""
    return metric is not None and metric.sample == ONE


def is_event(metric: Behaviour) -> bool:
    """Tell whether each call is a sample that says whether something went wrong."""
    return metric.sample == NOUGHT_OR_ONE and metric.statistics == OF_EVENTS


def is_level(variable: Variable) -> bool:
    """Tell whether nothing else says what a variable is at."""
    metric = behaviour_of(variable)
    return metric is None or not (metric.sparse or is_call(metric) or is_event(metric))


def statistic_of(statistic: str, count: int, low: float, high: float, raised: int) -> float | None:
    """Return a statistic of some samples, so many of which are high and the others low."""
    if count <= 0:
        return None
    total = high * raised + low * (count - raised)
    name = statistic.lower()
    match name[:2]:
        case "sa" | "tc":
            result: float = count
        case "su" | "ts":
            result = total
        case "mi":
            result = low if raised < count else high
        case "ma":
            result = high if raised else low
        case "pr":
            result = 100 * raised / count
        case _ if name[0] == "p":
            result = high if raised and float(name[1:]) / 100 > (count - raised) / count else low
        case _:
            result = total / count
    return float(result)


class Machine:
    """Runs one alarm in one world after the other."""

    def __init__(self, plan: Plan) -> None:
        """Take an alarm.

        Raises:
            RefusedError: CloudWatch does not take one of its expressions.
            ExpressionError: An expression that this pack cannot follow.
        """
        self.plan = plan
        self.trees = {key: parse(text) for key, text in plan.expressions}
        self.sources = {source.key: source for source in plan.sources}
        self.order = in_order(plan.returned, self.trees, self.sources.keys()) if self.trees else ()
        self.tried = 0
        self.periods = {source.key: source.period for source in plan.sources}
        self.base = min(self.periods.values(), default=MINUTE)
        self.step = max(self.periods.values(), default=MINUTE)
        self.cap = max(1, plan.most_events * max(self.base, MINUTE) // MINUTE)
        used = [expression for key in self.order for expression in parts(self.trees[key])]
        functions = {expression.function for expression in used if isinstance(expression, Call)}
        self.windowed = any(map(looks_around, used))
        self.clock = functions & CLOCK.keys()
        self.outside = bool(functions & (OUTSIDE | {"ANOMALY_DETECTION_BAND"}))
        numbers = {expression.value for expression in used if isinstance(expression, Number)}
        self.constants = sorted(numbers | ({plan.threshold} if plan.threshold is not None else set()))
        self.window = min(plan.periods, LOOKED_AT) if self.windowed else 1
        share = min(1.0, plan.datapoints / plan.periods)
        self.needed = max(1, math.ceil(share * self.window))
        self.length = self.window + 2 if self.windowed else 1
        named = {plan.returned, *(expression.value for expression in used if isinstance(expression, Name))}
        counted = [one for one in plan.sources if one.key in named or "METRICS" in functions]
        self.variables = tuple(dict.fromkeys(one.variable for one in counted))
        self.levels = [one for one in self.variables if is_level(one)]
        self.failing = frozenset(
            one for one in self.variables if not is_level(one) and not is_call(behaviour_of(one))
        )
        near = [value for one in self.constants for value in (one, one + 1, one - 1, one * 1.5, one * 0.5)]
        self.ladder = tuple(dict.fromkeys((*LADDER, *near, *(-one for one in LADDER[1:]))))
        self.low, self.high = math.inf, -math.inf

    def state(self, situation: Situation) -> str:
        """Return the state of the alarm in a world."""
        points = self.points(situation)
        present = [point for point in points if point is not None]
        if present:
            self.low, self.high = min(self.low, *present), max(self.high, *present)
        plan, window = self.plan, points[-self.window :]
        if plan.missing in {"breaching", "notBreaching"}:
            filled = plan.missing == "breaching"
            bad = sum(filled if point is None else self.breaches(point) for point in window)
            return ALARM if bad >= self.needed else OK
        if not present:
            return OK if plan.missing == "ignore" else INSUFFICIENT
        bad = sum(map(self.breaches, present[-self.window :]))
        return ALARM if bad >= min(self.needed, len(present)) else OK

    def breaches(self, value: float) -> bool:
        """Compare a value with the threshold."""
        return COMPARED[self.plan.operator](value, self.plan.threshold or 0.0)

    def points(self, situation: Situation) -> Points:
        """Return the data points that the alarm compares in a world."""
        self.tried += 1
        world = MachineWorld(self, situation)
        if not self.order:
            return world.metric(self.plan.returned)
        calculator = Calculator(world, tuple(self.sources), self.periods)
        for key in self.order:
            calculator.values[key] = calculator.work_out(self.trees[key])
        return one_series(calculator.query(self.plan.returned))

    def patterns(self) -> Iterator[tuple[float, ...]]:
        """Go through the ways in which things can change from period to period."""
        length = self.length
        yield (1.0,) * length
        if self.windowed:
            yield tuple((position + 1) / length for position in range(length))
            yield tuple(float(position >= length - self.window) for position in range(length))
            yield tuple(float(position == length - 1) for position in range(length))
            yield tuple(float(position % 2 == (length - 1) % 2) for position in range(length))
            yield tuple(1 - position / length for position in range(length))

    @property
    def exhausted(self) -> bool:
        """Whether as many worlds were tried as are tried of one alarm."""
        return self.tried >= MOST_TRIED

    def later(self) -> Sequence[int]:
        """Return the moments to look at besides the first: as fine and as far as the expressions ask."""
        minutes = range(0, DAY, MINUTE) if "MINUTE" in self.clock else ()
        hours = range(0, (31 if "DATE" in self.clock else 7) * DAY, HOUR) if self.clock else ()
        days = range(HOUR, 4 * 366 * DAY, DAY) if self.clock & {"DATE", "MONTH"} else ()
        years = range(0, 10 * 366 * DAY, 366 * DAY) if self.clock & {"YEAR", "EPOCH"} else ()
        return [MONDAY + offset for offset in (*minutes, *hours, *days, *years)]

    def assignments(self, fixed: frozenset[Variable] = frozenset()) -> list[tuple[int, int]]:
        """Return which rungs of the ladder the free levels are put on."""
        free = len([one for one in self.levels if one not in fixed]) + 2 * self.outside
        if not free:
            return [(0, 0)]
        strides = (0,) if free == 1 else (0, 1, 4)
        return [(offset, stride) for stride in strides for offset in range(len(self.ladder))]

    def calls(self) -> tuple[int, ...]:
        """Return how often functions may be called while all is well."""
        return tuple(dict.fromkeys(min(one, self.cap) for one in (10, 1, 1000, self.cap)))

    def severities(self) -> Iterator[tuple[int, int, float]]:
        """Go through calls, how many of them fail, and the level that what fails is at: the worst first."""
        yield self.cap, self.cap, LADDER[-1]
        amounts = [one for one in self.ladder if one > 0]
        pairs = [(min(calls, self.cap), min(failed, self.cap)) for calls, failed in SEVERITIES]
        for constant in self.constants:
            if 0 < constant < self.cap:
                failed = math.floor(constant) + 1
                pairs += [(failed, failed), (self.cap, failed), (max(1, math.ceil(constant)),) * 2]
        for position in range(max(len(pairs), len(amounts))):
            calls, failed = pairs[position % len(pairs)]
            yield calls, failed, amounts[position % len(amounts)]


class MachineWorld:
    """The data points of one world."""

    def __init__(self, machine: Machine, situation: Situation) -> None:
        self._machine = machine
        self._situation = situation
        self._rungs: dict[object, int] = {}
        step = machine.step
        self.starts = tuple(situation.start + step * position for position in range(machine.length))

    def outside(self, key: str) -> Points:
        """Return what comes from elsewhere: the same in each period."""
        return (self._level(key, -math.inf, math.inf),) * self._machine.length

    def metric(self, key: str) -> Points:
        """Return the data points of a metric."""
        source = self._machine.sources[key]
        metric = behaviour_of(source.variable)
        pattern = self._situation.pattern if self._machine.windowed else (1.0,)
        return tuple(self._point(source, metric, share) for share in pattern)

    def _level(self, key: object, low: float, high: float) -> float:
        machine, situation = self._machine, self._situation
        position = self._rungs.setdefault(key, len(self._rungs))
        rung = machine.ladder[(situation.offset + position * situation.stride) % len(machine.ladder)]
        return max(low, min(high, rung))

    def _point(self, source: Source, metric: Behaviour | None, share: float) -> float | None:
        situation = self._situation
        if situation.silent:
            return None
        fails = source.variable in situation.failing
        calls = max(1, situation.calls * source.period // self._machine.base)
        if metric is None:
            return self._level(source.variable, -math.inf, math.inf) * share
        if is_call(metric):
            return statistic_of(source.statistic, calls, 1, 1, calls)
        if is_event(metric):
            failed = min(calls, round(situation.failed * share)) if fails else 0
            return statistic_of(source.statistic, calls, 0, 1, failed)
        if metric.sparse:
            failed = round(situation.failed * share) if fails else 0
            value = 1.0 if source.statistic in TALLIES else max(metric.sample.low, situation.amount)
            return statistic_of(source.statistic, failed, value, value, failed)
        low, high = metric.sample.low, min(metric.sample.high, source.limit)
        if fails:
            value = low + (max(low, min(high, situation.amount)) - low) * share
        elif source.variable in situation.lowered:
            value = low
        else:
            value = self._level(source.variable, low, high)
        timed = source.limit < math.inf or metric.unit == "Milliseconds"
        count = calls if timed else max(1, source.period // MINUTE)
        return statistic_of(source.statistic, count, value, value, count)


def one_series(value: Value) -> Points:
    """Return the one time series that an alarm compares, or raise `RefusedError`."""
    if isinstance(value, (int, float)):
        raise RefusedError("it comes to a number, and CloudWatch compares a time series")
    if isinstance(value, list):
        if len(value) != 1:
            raise RefusedError(f"it comes to {len(value)} time series, and CloudWatch compares one")
        return value[0]
    return value


def looks_around(expression: Expression) -> bool:
    """Tell whether a part of an expression looks at other periods than the one that it gives a value to."""
    match expression:
        case Call(function, (Call("[" | "METRICS"), *_)) if function in REDUCERS:
            return False
        case Call("FILL", (_, Number())):
            return False
        case Call(function):
            return function in WINDOWED
        case _:
            return False
