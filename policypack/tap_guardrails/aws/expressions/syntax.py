"""Reading metric math: from `SUM([m1, m2]) / 60` to a tree.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, TypeAlias

from tap_guardrails.aws.expressions.scanner import ExpressionError, Scanner
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from collections.abc import Callable

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

DEEPEST: Final = 50
"""Parentheses within parentheses that are followed; nobody writes more, and Python's stack has an end."""


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
    """A function with its arguments; operators are calls of their sign, a list is a call of `[`."""

    function: str
    arguments: tuple[Expression, ...]


Expression: TypeAlias = "Number | Text | Name | Call"


def parse(text: str) -> Expression:
    """Read an expression.

    Raises:
        ExpressionError: It is not metric math.
    """
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
        left = self.binary(level + 1)
        while operator := self._scanner.accept(*LEVELS[level]):
            left = Call(operator, (left, self.binary(level + 1)))
        return left

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
        """Read values parted by commas, up to the closing sign."""
        values: list[Expression] = []
        if self._scanner.accept(end):
            return ()
        values.append(self.nested(lambda: self.binary(0)))
        while self._scanner.accept(","):
            values.append(self.nested(lambda: self.binary(0)))
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
