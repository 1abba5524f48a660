"""CloudWatch's little languages, from text to tree: metric math and Metrics Insights.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from typing import Final, TypeAlias, TypeVar

from tap_guardrails.model.values import record

T = TypeVar("T")

DEEPEST: Final = 50
"""Parentheses within parentheses that are followed; no one writes more, and Python's stack has an end."""


class ExpressionError(ValueError):
    """An expression that this pack cannot follow."""


class RefusedError(ExpressionError):
    """An expression that CloudWatch does not take in an alarm."""


class Scanner:
    """The tokens of a text, one after the other."""

    def __init__(self, text: str, token: re.Pattern[str], *, any_case: bool = False) -> None:
        """Cut a text into tokens.

        Raises:
            ExpressionError: Something that is no token.
        """
        self._tokens: list[str] = []
        self._any_case = any_case
        position, text = 0, text.rstrip()
        while position < len(text):
            match = token.match(text, position)
            if match is None:
                raise ExpressionError(f"unexpected {text[position]!r}")
            self._tokens.append(match.group(1))
            position = match.end()
        self._next = 0

    @property
    def current(self) -> str:
        """The token at hand, empty at the end."""
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def take(self) -> str:
        """Return the token at hand and go on to the next."""
        token = self.current
        self._next += 1
        return token

    def accept(self, *tokens: str) -> str:
        """Take the token at hand if it is one of these, else return the empty text."""
        word = self.current.upper() if self._any_case else self.current
        if word and word in tokens:
            self._next += 1
            return word
        return ""

    def one_of(self, what: str, *tokens: str) -> str:
        """Take one of some tokens, or raise `ExpressionError`, which says what had to come."""
        token = self.accept(*tokens)
        if not token:
            raise ExpressionError(f"expected {what}, found {self.current or 'the end'!r}")
        return token

    def expect(self, token: str) -> None:
        """Take a token that has to come now, or raise `ExpressionError`."""
        self.one_of(repr(token), token)

    def several(self, read: Callable[[], T], between: str = ",") -> list[T]:
        """Read one thing or more, with a token between each two."""
        items = [read()]
        while self.accept(between):
            items.append(read())
        return items

    def finish(self) -> None:
        """Raise `ExpressionError` if anything is left."""
        if self.current:
            raise ExpressionError(f"unexpected {self.current!r}")


@record
class Number:
    """A number."""

    value: float


@record
class Text:
    """A text in quotes."""

    value: str


@record
class Name:
    """The identifier of a metric or of another expression, or a bare word such as REPEAT."""

    value: str


@record
class Call:
    """A function with its arguments; a list is a call of `[`, a sign before a value one of `negative`."""

    function: str
    arguments: tuple[Expression, ...]


@record
class Chain:
    """Values with operators of one level between them, worked out from left to right."""

    first: Expression
    rest: tuple[tuple[str, Expression], ...]


Expression: TypeAlias = "Number | Text | Name | Call | Chain"

TOKEN: Final = re.compile(
    r"""\s*(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|[A-Za-z_][A-Za-z0-9_]*|"[^"]*"|'[^']*'|&&|\|\||[=!<>]=|[-+*/^()\[\],<>])"""
)
LEVELS: Final[tuple[tuple[str, ...], ...]] = (
    ("OR", "||"),
    ("AND", "&&"),
    ("==", "!=", "<=", ">=", "<", ">"),
    ("+", "-"),
    ("*", "/"),
    ("^",),
)
"""The operators that stand between two values, those that bind least first."""


@lru_cache(maxsize=512)
def parse(text: str) -> Expression:
    """Read metric math, or raise `ExpressionError`."""
    scanner = Scanner(text, TOKEN)
    tree = Parser(scanner).binary(0)
    scanner.finish()
    return tree


class Parser:
    """Descends through the levels of operators."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._depth = 0

    def binary(self, level: int) -> Expression:
        """Read values with operators of one level, or of a higher one, between them."""
        if level == len(LEVELS):
            return self.unary()
        first = self.binary(level + 1)
        rest: list[tuple[str, Expression]] = []
        while operator := self._scanner.accept(*LEVELS[level]):
            rest.append((operator, self.binary(level + 1)))
        return Chain(first, tuple(rest)) if rest else first

    def unary(self) -> Expression:
        """Read a value with a sign before it, or without."""
        if self._scanner.accept("-"):
            return Call("negative", (self.nested(self.unary),))
        return self.primary()

    def primary(self) -> Expression:
        """Read a value."""
        if self._scanner.accept("("):
            items = self.arguments(")")
            return items[0] if len(items) == 1 else Call("[", items)
        if self._scanner.accept("["):
            return Call("[", self.arguments("]"))
        word = self._scanner.take()
        if word.isidentifier():
            return Call(word.upper(), self.arguments(")")) if self._scanner.accept("(") else Name(word)
        return literal(word)

    def arguments(self, end: str) -> tuple[Expression, ...]:
        """Read values separated by commas, up to the closing sign."""
        if self._scanner.accept(end):
            return ()
        values = self._scanner.several(lambda: self.nested(lambda: self.binary(0)))
        self._scanner.expect(end)
        return tuple(values)

    def nested(self, read: Callable[[], Expression]) -> Expression:
        """Read something inside of something, unless it gets too deep."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError("nested too deep")
        tree = read()
        self._depth -= 1
        return tree


def literal(word: str) -> Expression:
    """Read a text in quotes or a number."""
    if word[:1] in {'"', "'"}:
        return Text(word[1:-1])
    try:
        value = float(word)
    except ValueError:
        raise ExpressionError(f"expected a value, found {word or 'the end'!r}") from None
    if not math.isfinite(value):
        raise ExpressionError(f"{word} is too large")
    return Number(value)


def parts(tree: Expression) -> Iterator[Expression]:
    """Go through an expression and all that it is made of."""
    waiting: list[Expression] = [tree]
    while waiting:
        expression = waiting.pop()
        yield expression
        if isinstance(expression, Call):
            waiting.extend(expression.arguments)
        elif isinstance(expression, Chain):
            waiting += [expression.first, *(operand for _, operand in expression.rest)]


KEYWORDS: Final = frozenset({"REPEAT", "LINEAR", "ASC", "DESC", "AVG", "MAX", "MIN", "SUM"})
"""Words in an expression that name no query."""


def in_order(returned: str, trees: Mapping[str, Expression], metrics: Collection[str]) -> tuple[str, ...]:
    """Return the expressions that one of them is made of, itself too, each after those that it is made of.

    Raises:
        ExpressionError: One refers to itself, or to a query that is not there.
    """
    opened: set[str] = set()
    ordered: dict[str, None] = {}
    waiting = [returned]
    while waiting:
        key = waiting[-1]
        if key in metrics or key in ordered:
            waiting.pop()
            continue
        if key not in trees:
            raise ExpressionError(f"there is no metric query {key!r}")
        named = {one.value for one in parts(trees[key]) if isinstance(one, Name)}
        inner = sorted(named - set(metrics) - KEYWORDS - ordered.keys())
        if inner and key in opened:
            raise ExpressionError(f"{key!r} refers to itself")
        opened.add(key)
        if inner:
            waiting.extend(inner)
        else:
            ordered[key] = None
            waiting.pop()
    return tuple(ordered)


INSIGHTS_TOKEN: Final = re.compile(r"""\s*("[^"]*"|'[^']*'|!=|[=(),]|[A-Za-z0-9_./:-]+)""")
INSIGHTS_STATISTICS: Final = {
    "AVG": "Average", "COUNT": "SampleCount", "MAX": "Maximum", "MIN": "Minimum", "SUM": "Sum",
}  # fmt: skip


@record
class Insights:
    """A query in the language of Metrics Insights.

    Attributes:
        statistic: What is taken of each period, in the word that alarms use.
        dimensions: The dimensions that its schema names; None when the query names no schema.
        equal: The dimensions that have to have a value.
        unequal: The dimensions that must not have a value, or other conditions.
        grouped: The dimensions that each get a time series of their own.
    """

    statistic: str
    metric: str
    namespace: str
    dimensions: frozenset[str] | None
    equal: tuple[tuple[str, str], ...]
    unequal: tuple[tuple[str, str], ...]
    grouped: frozenset[str]


def is_insights(text: str) -> bool:
    """Tell whether an expression is a query of Metrics Insights."""
    return text.lstrip()[:6].upper() == "SELECT"


@lru_cache(maxsize=512)
def parse_insights(text: str) -> Insights:
    """Read a query of Metrics Insights, or raise `ExpressionError`."""
    scanner = Scanner(text, INSIGHTS_TOKEN, any_case=True)
    scanner.expect("SELECT")
    function = scanner.one_of(f"one of {', '.join(INSIGHTS_STATISTICS)}", *INSIGHTS_STATISTICS)
    scanner.expect("(")
    metric = unquoted(scanner)
    scanner.expect(")")
    scanner.expect("FROM")
    dimensions: frozenset[str] | None = None
    if scanner.accept("SCHEMA"):
        scanner.expect("(")
        namespace, *keys = names_in(scanner)
        scanner.expect(")")
        dimensions = frozenset(keys)
    else:
        namespace = unquoted(scanner)
    equal: list[tuple[str, str]] = []
    unequal: list[tuple[str, str]] = []
    if scanner.accept("WHERE"):
        read_conditions(scanner, equal, unequal)
    grouped: list[str] = []
    if scanner.accept("GROUP"):
        scanner.expect("BY")
        grouped = names_in(scanner)
    if scanner.accept("ORDER"):
        scanner.expect("BY")
        scanner.accept(*INSIGHTS_STATISTICS)
        scanner.expect("(")
        scanner.expect(")")
        scanner.accept("ASC", "DESC")
    if scanner.accept("LIMIT"):
        scanner.take()
    scanner.finish()
    return Insights(
        INSIGHTS_STATISTICS[function], metric, namespace, dimensions, tuple(equal), tuple(unequal),
        frozenset(grouped),
    )  # fmt: skip


def read_conditions(scanner: Scanner, equal: list[tuple[str, str]], unequal: list[tuple[str, str]]) -> None:
    """Read the conditions after WHERE, which AND joins; parentheses around them change nothing."""
    while True:
        opened = 0
        while scanner.accept("("):
            opened += 1
        key = unquoted(scanner)
        operator = scanner.one_of("'=' or '!='", "=", "!=")
        (equal if operator == "=" else unequal).append((key, unquoted(scanner)))
        while opened and scanner.accept(")"):
            opened -= 1
        if not scanner.accept("AND"):
            while scanner.accept(")"):
                pass
            return


def names_in(scanner: Scanner) -> list[str]:
    """Take names with commas between them."""
    return scanner.several(lambda: unquoted(scanner))


def unquoted(scanner: Scanner) -> str:
    """Take a name or a value, with quotes or without."""
    word = scanner.take()
    if not word or word in {"(", ")", ",", "=", "!="}:
        raise ExpressionError(f"expected a name, found {word or 'the end'!r}")
    return word[1:-1] if word[:1] in {'"', "'"} else word
