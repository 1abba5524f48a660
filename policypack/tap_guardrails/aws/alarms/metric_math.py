"""Metric math, worked out over the data points of one concrete world, as CloudWatch does it.

A value is a number, a time series (one data point or none a period), or an array of time series. Where the
documentation leaves open what a missing data point counts as, it counts as zero.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import Final, Protocol, TypeAlias

from tap_guardrails.aws.alarms.syntax import (
    Call,
    Chain,
    Expression,
    ExpressionError,
    Name,
    Number,
    RefusedError,
    Text,
)

Points: TypeAlias = tuple[float | None, ...]
"""A time series: what it has in each period, the oldest first."""

Value: TypeAlias = float | Points | list[Points]
"""A number, a time series, or an array of time series."""


class World(Protocol):
    """What metric math looks at."""

    @property
    def starts(self) -> Sequence[int]:
        """When each period starts, in seconds since 1970."""
        ...

    def metric(self, key: str) -> Points:
        """Return the data points of a metric query."""
        ...

    def outside(self, key: str) -> Points:
        """Return the data points of what the alarm's metrics say nothing of, such as a quota."""
        ...


CLOCK: Final[dict[str, Callable[[datetime], float]]] = {
    "MINUTE": lambda moment: moment.minute,
    "HOUR": lambda moment: moment.hour,
    "DAY": lambda moment: moment.isoweekday(),
    "DATE": lambda moment: moment.day,
    "MONTH": lambda moment: moment.month,
    "YEAR": lambda moment: moment.year,
    "EPOCH": lambda moment: moment.timestamp(),
}

CHANGES: Final = frozenset({"DIFF", "DIFF_TIME", "RATE", "RUNNING_SUM"})
"""Functions of a series that give one value for each of its own."""

OUTSIDE: Final = frozenset({"SERVICE_QUOTA", "INSIGHT_RULE_METRIC", "DB_PERF_INSIGHTS", "LAMBDA"})
"""Functions whose data come from elsewhere."""

COMPARISONS: Final[dict[str, Callable[[float, float], float]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "AND": lambda one, other: bool(one and other),
    "&&": lambda one, other: bool(one and other),
    "OR": lambda one, other: bool(one or other),
    "||": lambda one, other: bool(one or other),
}
OPERATORS: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda one, other: one / other,
    "^": lambda one, other: one**other,
    **COMPARISONS,
}


def tidy(work: Callable[[], float]) -> float | None:
    """Return a result that is a number; anything else is a data point that CloudWatch drops."""
    try:
        result = work()
    except (ArithmeticError, ValueError, TypeError):
        return None
    return None if isinstance(result, complex) or not math.isfinite(result) else float(result)


def reduce_mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return sum(values) / len(values)


def reduce_deviation(values: Sequence[float]) -> float:
    """Return the standard deviation of a population; `statistics` would take a tenth of the pack's start."""
    return math.sqrt(reduce_mean([(value - reduce_mean(values)) ** 2 for value in values]))


POINTWISE: Final[dict[str, Callable[[float], float]]] = {
    "ABS": abs,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
    "LOG": math.log,
    "LOG10": math.log10,
    "negative": operator.neg,
}

REDUCERS: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "SUM": math.fsum,
    "AVG": reduce_mean,
    "MAX": max,
    "MIN": min,
    "STDDEV": reduce_deviation,
    "DATAPOINT_COUNT": len,
}
"""Of one time series, the number that its data points come to; of an array, a time series."""

WINDOWED: Final = CHANGES | REDUCERS.keys() | {"FILL", "SORT", "REMOVE_EMPTY"}
"""Functions that may look at other periods than the one that they give a value to."""

OF_ONE: Final = POINTWISE.keys() | REDUCERS.keys() | CHANGES | CLOCK.keys() | {"TIME_SERIES"}
"""Functions that take one value."""

MISSING_IS_ZERO: Final = frozenset({"AVG", "MIN", "STDDEV"})


class Calculator:
    """Works out the expressions of one alarm in one world."""

    def __init__(self, world: World, metrics: Sequence[str], periods: Mapping[str, int]) -> None:
        """Take the world, the metric queries that `METRICS()` means, and the length of each one's period."""
        self._world = world
        self._metrics = metrics
        self._periods = periods
        self._length = len(world.starts)
        self._step = max(periods.values(), default=60)
        self.values: dict[str, Value] = {}

    def query(self, key: str) -> Value:
        """Return what a query comes to; each is worked out once."""
        if key not in self.values:
            if key not in self._periods:
                raise ExpressionError(f"there is no metric query {key!r}")
            self.values[key] = self._world.metric(key)
        return self.values[key]

    def work_out(self, tree: Expression) -> Value:
        """Work out an expression, or raise `RefusedError` or `ExpressionError`."""
        match tree:
            case Number(value):
                return value
            case Name(value):
                return self.query(value)
            case Text():
                raise ExpressionError("a text where a value has to stand")
            case Chain(first, rest):
                result = self.work_out(first)
                for sign, operand in rest:
                    result = self._combined(sign, result, self.work_out(operand))
                return result
            case Call(function, arguments):
                return self._called(function, arguments)

    def _called(self, function: str, arguments: tuple[Expression, ...]) -> Value:
        if function == "SEARCH":
            raise RefusedError("CloudWatch takes no SEARCH in an alarm")
        if function in OUTSIDE:
            return self._world.outside(f"{function}{arguments!r}")
        match function, arguments:
            case "METRICS", _:
                wanted = arguments[0].value if arguments and isinstance(arguments[0], Text) else ""
                return [series for key in self._metrics if wanted in key for series in array(self.query(key))]
            case "FILL", (series, filler):
                return self._filled(self.work_out(series), filler)
            case "SORT", (series, Name(by), Name(order), *limit):
                return self._sorted(
                    array(self.work_out(series)), by, order, [self.work_out(one) for one in limit]
                )
            case "PERIOD", (Name(key),):
                return float(self._periods.get(key, self._step))
            case _:
                return self._applied(function, [self.work_out(argument) for argument in arguments])

    def _applied(self, function: str, values: list[Value]) -> Value:
        """Apply a function to values: pointwise, over a series, or over an array."""
        if function == "[":
            return [series for value in values for series in self._series_of(value)]
        if function in ARRAY_FUNCTIONS and values:
            return ARRAY_FUNCTIONS[function](values[0], values[1:])
        match values:
            case [value] if function in OF_ONE:
                return self._of_one(function, value)
            case [condition, chosen, *other] if function == "IF" and len(other) <= 1:
                return self._chosen(condition, chosen, other)
            case [value, *_] if function == "ANOMALY_DETECTION_BAND":
                array(value)
                return [self._world.outside("upper band"), self._world.outside("lower band")]
            case _:
                raise ExpressionError(f"this pack does not know {function} with {len(values)} arguments")

    def _of_one(self, function: str, value: Value) -> Value:
        """Apply a function that takes one value."""
        if function in POINTWISE:
            return mapped(POINTWISE[function], value)
        if function in REDUCERS:
            return self._reduced(function, value)
        if function in CHANGES:
            return self._each(value, lambda series: self._over_time(function, series))
        if function in CLOCK:
            moments = [datetime.fromtimestamp(start, UTC) for start in self._world.starts]
            return tuple(float(CLOCK[function](moment)) for moment in moments)
        return self._series_of(value)[0]

    def _series_of(self, value: Value) -> list[Points]:
        """Return a value as time series; a number has the same value in each period."""
        if isinstance(value, (int, float)):
            return [(None if math.isnan(value) else value,) * self._length]
        return array(value)

    def _each(self, value: Value, change: Callable[[Points], Points]) -> Value:
        """Change each of a value's time series."""
        changed = [change(series) for series in self._series_of(value)]
        return changed if isinstance(value, list) else changed[0]

    def _combined(self, sign: str, left: Value, right: Value) -> Value:
        operation = OPERATORS[sign]
        if isinstance(left, (int, float)) and isinstance(right, (int, float)):
            one, other = left, right
            result = tidy(lambda: operation(one, other))
            return math.nan if result is None else result
        lefts, rights = sided(left), sided(right)
        if len(lefts) != 1 and len(rights) != 1:
            raise ExpressionError(f"{sign!r} between two arrays of time series")
        results = [pair(operation, one, other) for one in lefts for other in rights]
        return results if isinstance(left, list) or isinstance(right, list) else results[0]

    def _reduced(self, name: str, value: Value) -> Value:
        reduce = REDUCERS[name]
        if isinstance(value, list):
            filler = 0.0 if name in MISSING_IS_ZERO else None
            return tuple(
                gathered(reduce, points, filler) for points in zip(*filled_array(value), strict=True)
            )
        points = self._series_of(value)[0]
        present = [point for point in points if point is not None]
        if not present:
            return 0.0 if name in {"SUM", "DATAPOINT_COUNT"} else math.nan
        return float(reduce(present))

    def _over_time(self, name: str, series: Points) -> Points:
        results: list[float | None] = []
        previous: tuple[int, float] | None = None
        total = 0.0
        for start, point in zip(self._world.starts, series, strict=True):
            if point is None:
                results.append(None)
                continue
            total += point
            if name == "RUNNING_SUM":
                results.append(total)
            elif previous is None:
                results.append(None)
            else:
                change, seconds = point - previous[1], start - previous[0]
                results.append({"DIFF": change, "DIFF_TIME": float(seconds), "RATE": change / seconds}[name])
            previous = (start, point)
        return tuple(results)

    def _filled(self, value: Value, filler: Expression) -> Value:
        if isinstance(filler, Name) and filler.value.upper() in {"REPEAT", "LINEAR"}:
            return self._each(value, carried)
        fill = self._series_of(self.work_out(filler))
        if len(fill) != 1:
            raise ExpressionError("FILL with an array of time series")
        return self._each(
            value,
            lambda series: tuple(
                other if one is None else one for one, other in zip(series, fill[0], strict=True)
            ),
        )

    def _sorted(self, members: list[Points], by: str, order: str, limit: list[Value]) -> Value:
        reduce = REDUCERS.get(by.upper())
        if reduce is None:
            raise ExpressionError("SORT takes AVG, MIN, MAX or SUM, and ASC or DESC")
        ranked = sorted(
            members,
            key=lambda series: reduce([point for point in series if point is not None] or [0.0]),
            reverse=order.upper() == "DESC",
        )
        return ranked[: integer_of(limit[0])] if limit else ranked

    def _chosen(self, condition: Value, chosen: Value, other: list[Value]) -> Value:
        given = [self._series_of(value) for value in (condition, chosen, *other)]
        if any(len(one) != 1 for one in given):
            raise ExpressionError("IF over an array of time series")
        conditions, then, otherwise, *_ = [*(one[0] for one in given), (None,) * self._length]
        return tuple(
            None if asked is None else ((one or 0.0) if asked else other_one)
            for asked, one, other_one in zip(conditions, then, otherwise, strict=True)
        )


def array(value: Value) -> list[Points]:
    """Return a value as an array of time series."""
    if isinstance(value, list):
        return value
    if isinstance(value, (int, float)):
        raise ExpressionError("a number where a time series has to stand")
    return [value]


def integer_of(value: Value) -> int:
    """Return a number as a position."""
    if isinstance(value, (int, float)) and math.isfinite(value):
        return int(value)
    raise ExpressionError("expected a number")


def sided(value: Value) -> Sequence[float | Points]:
    """Return one side of an operator as an array of series, or of the one number that it is."""
    return value if isinstance(value, list) else [value]


def pair(operation: Callable[[float, float], float], left: float | Points, right: float | Points) -> Points:
    """Combine two series point by point; what only one of them misses counts as zero."""
    length = len(left) if isinstance(left, tuple) else len(right) if isinstance(right, tuple) else 0
    numbers = not (isinstance(left, tuple) and isinstance(right, tuple))
    lefts = left if isinstance(left, tuple) else (left,) * length
    rights = right if isinstance(right, tuple) else (right,) * length
    return tuple(
        None
        if (one is None and other is None) or (numbers and (one is None or other is None))
        else tidy(lambda one=one or 0.0, other=other or 0.0: operation(one, other))
        for one, other in zip(lefts, rights, strict=True)
    )


def mapped(function: Callable[[float], float], value: Value) -> Value:
    """Apply a function to each data point."""
    if isinstance(value, list):
        return [series for one in value for series in array(mapped(function, one))]
    if isinstance(value, tuple):
        return tuple(None if one is None else tidy(lambda one=one: float(function(one))) for one in value)
    result = tidy(lambda: float(function(value)))
    return math.nan if result is None else result


def gathered(
    reduce: Callable[[Sequence[float]], float], points: Sequence[float | None], filler: float | None
) -> float | None:
    """Make one data point of those that several series have in a period."""
    present = [point for point in points if point is not None]
    if not present:
        return 0.0 if reduce is len else None
    if filler is not None:
        present = [filler if point is None else point for point in points]
    return tidy(lambda: float(reduce(present)))


def carried(series: Points) -> Points:
    """Fill each gap with what came before it."""
    return tuple(accumulate(series, lambda before, point: before if point is None else point))


def filled_array(value: Value) -> list[Points]:
    """Return a value as an array of at least one time series."""
    members = array(value)
    if not members:
        raise ExpressionError("a function over nothing")
    return members


def sliced(members: list[Points], ends: list[int]) -> list[Points]:
    """Return part of an array: from a position on, or up to another one."""
    if not ends:
        raise ExpressionError("SLICE takes where to begin")
    return members[ends[0] : ends[1] if len(ends) > 1 else None]


ARRAY_FUNCTIONS: Final[dict[str, Callable[[Value, list[Value]], Value]]] = {
    "FIRST": lambda value, _: filled_array(value)[0],
    "LAST": lambda value, _: filled_array(value)[-1],
    "METRIC_COUNT": lambda value, _: float(len(array(value))),
    "REMOVE_EMPTY": lambda value, _: [one for one in array(value) if any(point is not None for point in one)],
    "SLICE": lambda value, ends: sliced(array(value), [integer_of(end) for end in ends]),
}
"""Functions of an array of time series, and what follows it."""
