"""What a metric math expression can come to, and what it depends on.

The values are followed as ranges. For each metric it is followed whether more of it makes the result
larger, smaller, or neither for certain; a metric that does not count at all (times zero) is not in it.

CloudWatch treats a missing value as 0 in arithmetic, and drops a division by zero:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from tap_guardrails.aws.expressions.scanner import ExpressionError
from tap_guardrails.aws.expressions.syntax import Call, Expression, Name, Number, Text
from tap_guardrails.aws.metrics.metric import ANYTHING, COUNT, INFINITY, NOUGHT_OR_ONE, Range
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

UP, DOWN, EITHER = 1, -1, 0
"""What more of a metric does to a result: makes it larger, smaller, or one cannot say."""


@record
class Quantity:
    """One time series, or one number, of an expression.

    Attributes:
        values: What it can come to.
        influences: By metric query: `UP`, `DOWN` or `EITHER`.
        silent: Whether it has no value while all the metrics are silent.
        constant: Whether it is one number.
    """

    values: Range
    influences: Mapping[str, int] = field(default_factory=dict[str, int])
    silent: bool = True
    constant: bool = False


Result: TypeAlias = tuple[Quantity, ...]
"""An array of time series; most have one."""

ONE_SERIES: Final = 1
PASSING: Final = frozenset({"CEIL", "FLOOR", "REMOVE_EMPTY", "TIME_SERIES", "SORT", "FIRST", "LAST", "SLICE"})
"""Functions whose results lie where those of their first argument do, give or take rounding."""

RISING: Final = frozenset({"ABS", "DATAPOINT_COUNT", "METRIC_COUNT", "RUNNING_SUM"})
"""Functions that cannot come to less than zero of something that cannot."""

LOGICAL: Final = frozenset({"==", "!=", "<=", ">=", "<", ">", "AND", "OR", "&&", "||"})
POSITIVE_NUMBERS: Final = frozenset({"PERIOD", "EPOCH", "DAY", "DATE", "HOUR", "MINUTE", "MONTH", "YEAR"})


class Evaluator:
    """Works out expressions over the queries of one alarm."""

    def __init__(self, queries: Mapping[str, Callable[[], Result]], metrics: Sequence[str]) -> None:
        """Take the queries.

        Args:
            queries: By identifier: gives what the query comes to.
            metrics: The identifiers of those that are metrics; `METRICS()` means them.
        """
        self._queries = queries
        self._metrics = metrics

    def work_out(self, expression: Expression) -> Result:
        """Work out an expression.

        Raises:
            ExpressionError: It names a query that is not there, or a function in a way that makes no sense.
        """
        match expression:
            case Number(value):
                return (Quantity(Range(value, value), silent=False, constant=True),)
            case Name(value):
                if value not in self._queries:
                    raise ExpressionError(f"there is no metric query {value!r}")
                return self._queries[value]()
            case Text():
                return ()
            case Call(function, arguments):
                return self._called(function, arguments)

    def _called(self, function: str, arguments: tuple[Expression, ...]) -> Result:
        match function, arguments:
            case "METRICS", _:
                wanted = arguments[0].value if arguments and isinstance(arguments[0], Text) else ""
                return tuple(one for key in self._metrics if wanted in key for one in self._queries[key]())
            case "FILL", (series, filler):
                return self._filled(self.work_out(series), filler)
            case _:
                return called(function, [self.work_out(argument) for argument in arguments])

    def _filled(self, series: Result, filler: Expression) -> Result:
        if isinstance(filler, Name) and filler.value.upper() in {"REPEAT", "LINEAR"}:
            return series
        fill = gathered(self.work_out(filler), EITHER)
        return tuple(replace(one, values=one.values.hull(fill.values), silent=False) for one in series)


def called(function: str, arguments: list[Result]) -> Result:
    """Apply a function or an operator to what its arguments come to."""
    match function, arguments:
        case "[", _:
            return tuple(one for argument in arguments for one in argument)
        case (("+" | "-" | "*" | "/" | "^"), [left, right]):
            return spread(ARITHMETIC[function], left, right)
        case "negative", [series]:
            return tuple(negative(one) for one in series)
        case name, [first, *_] if name in PASSING:
            return first
        case _:
            return (combined(function, arguments),)


def combined(function: str, arguments: list[Result]) -> Quantity:
    """Apply a function that makes one series of all that it is given."""
    match function, arguments:
        case "SUM", [series]:
            return summed(series)
        case (("AVG" | "MAX" | "MIN"), [series]):
            return gathered(series, UP)
        case "IF", [condition, *branches]:
            chosen = gathered([one for branch in branches for one in branch] or [NOUGHT], UP)
            return merged(chosen.values, [chosen, *doubtful(condition)], silent=True)
        case _:
            everything = [one for argument in arguments for one in argument]
            return merged(result_range(function, everything), doubtful(everything), silent=True)


def result_range(function: str, arguments: Sequence[Quantity]) -> Range:
    """Return where the results of a function lie of which no more is known."""
    if function in LOGICAL:
        return NOUGHT_OR_ONE
    if function in POSITIVE_NUMBERS:
        return COUNT
    if function in RISING and all(argument.values.low >= 0 for argument in arguments):
        return COUNT
    return ANYTHING


NOUGHT: Final = Quantity(Range(0, 0), constant=True)


def spread(operation: Callable[[Quantity, Quantity], Quantity], left: Result, right: Result) -> Result:
    """Apply an operator to two series, or to a series and each of an array."""
    if len(left) == ONE_SERIES:
        return tuple(operation(present(left[0]), present(one)) for one in right)
    if len(right) == ONE_SERIES:
        return tuple(operation(present(one), present(right[0])) for one in left)
    return (merged(ANYTHING, doubtful([*left, *right]), silent=True),)


def present(one: Quantity) -> Quantity:
    """Let a series count as 0 where it has no value, as arithmetic does."""
    return replace(one, values=one.values.hull(Range(0, 0))) if one.silent else one


def negative(one: Quantity) -> Quantity:
    """Turn a series round."""
    turned = {key: -sign for key, sign in one.influences.items()}
    return replace(one, values=Range(-one.values.high, -one.values.low), influences=turned)


def doubtful(series: Sequence[Quantity]) -> list[Quantity]:
    """Keep what series depend on, but not in which direction."""
    return [replace(one, influences=dict.fromkeys(one.influences, EITHER)) for one in series]


def merged(values: Range, parts: Sequence[Quantity], *, silent: bool | None = None) -> Quantity:
    """Make a series of some parts: what pulls two ways pulls in no certain one."""
    influences: dict[str, int] = {}
    for part in parts:
        for key, sign in part.influences.items():
            influences[key] = sign if influences.get(key, sign) == sign else EITHER
    quiet = all(part.silent or part.constant for part in parts) if silent is None else silent
    return Quantity(values, influences, quiet, constant=all(part.constant for part in parts))


def gathered(series: Sequence[Quantity], direction: int) -> Quantity:
    """Make one series that lies where the others do: their greatest, least, mean, or any of them."""
    if not series:
        raise ExpressionError("a function over nothing")
    values = series[0].values
    for one in series[1:]:
        values = values.hull(one.values)
    return merged(values, series if direction == UP else doubtful(series))


def summed(series: Sequence[Quantity]) -> Quantity:
    """Add series up."""
    total = NOUGHT
    for one in series:
        total = plus(total, present(one))
    return total


def plus(left: Quantity, right: Quantity) -> Quantity:
    """Add two series."""
    return merged(
        Range(left.values.low + right.values.low, left.values.high + right.values.high), [left, right]
    )


def minus(left: Quantity, right: Quantity) -> Quantity:
    """Take a series from another."""
    return plus(left, negative(right))


def times(left: Quantity, right: Quantity) -> Quantity:
    """Multiply two series."""
    for one, factor in ((left, right), (right, left)):
        if factor.constant and factor.values.low == factor.values.high:
            return scaled(one, factor.values.low)
    if min(left.values.low, right.values.low) >= 0:
        low, high = bound(left.values.low, right.values.low), bound(left.values.high, right.values.high)
        return merged(Range(low, high), [left, right])
    return merged(ANYTHING, doubtful([left, right]))


def scaled(one: Quantity, factor: float) -> Quantity:
    """Multiply a series by a number; by zero, nothing of it is left."""
    if factor == 0:
        return replace(NOUGHT, silent=one.silent, constant=one.constant)
    positive = one if factor > 0 else negative(one)
    size = abs(factor)
    return replace(positive, values=Range(positive.values.low * size, positive.values.high * size))


def bound(one: float, other: float) -> float:
    """Multiply two ends of ranges, where nothing of infinity is nothing."""
    return 0 if 0 in {one, other} else one * other


def over(left: Quantity, right: Quantity) -> Quantity:
    """Divide a series by another."""
    divisor = right.values
    if right.constant and divisor.low == divisor.high != 0:
        return scaled(left, 1 / divisor.low)
    if left.values.low >= 0 and divisor.low >= 0:
        high = INFINITY if divisor.low == 0 else left.values.high / divisor.low
        low = 0 if divisor.high in {INFINITY, 0} else left.values.low / divisor.high
        return merged(Range(low, high), [left, negative(right)])
    return merged(ANYTHING, doubtful([left, right]))


def power(left: Quantity, right: Quantity) -> Quantity:
    """Raise a series to a power."""
    if left.values.low >= 0 and right.constant and right.values.low > 0:
        return merged(COUNT, [left])
    return merged(ANYTHING, doubtful([left, right]))


ARITHMETIC: Final = {
    "+": plus,
    "-": minus,
    "*": times,
    "/": over,
    "^": power,
}
