"""Cutting an expression into tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re


class ExpressionError(ValueError):
    """An expression that CloudWatch would not understand, or that the pack does not."""


class Scanner:
    """The tokens of an expression, one after the other."""

    def __init__(self, text: str, token: re.Pattern[str]) -> None:
        """Cut a text into tokens.

        Args:
            text: The expression.
            token: Matches one token, with what stands before it that does not count.

        Raises:
            ExpressionError: Something that is no token.
        """
        self._tokens: list[str] = []
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
        return self.take() if self.current and self.current in tokens else ""

    def expect(self, token: str) -> None:
        """Take a token that has to come now.

        Raises:
            ExpressionError: Something else comes.
        """
        if not self.accept(token):
            raise ExpressionError(f"expected {token!r}, found {self.current or 'the end'!r}")

    def finish(self) -> None:
        """Check that nothing is left.

        Raises:
            ExpressionError: Something is left.
        """
        if self.current:
            raise ExpressionError(f"unexpected {self.current!r}")
