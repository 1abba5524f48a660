"""The icons, bars and colours of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Strokes on a 24 x 24 grid.
_PATHS: Final[Mapping[str, str]] = {
    "failed": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M9 9l6 6M15 9l-6 6",
    "met": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M8 12.5l2.8 2.8L16.2 9.5",
    "undecided": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M9.6 9.6a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.2.9-1.2 1.8"
    "M12 16.8v.1",
    "advisory": "M12 4L21 19.5H3ZM12 10v4.2M12 16.7v.1",
    "waived": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M12 7.5V12l3 2",
    "off": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M6 6l12 12",
    "not applicable": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M8 12h8",
    "shield": "M12 2.8l7.5 2.7v5.7c0 4.6-3 8.2-7.5 10c-4.5-1.8-7.5-5.4-7.5-10V5.5ZM8.4 11.8l2.6 2.6l4.8-4.9",
}
_COLOURS: Final[Mapping[str, str]] = {
    "failed": "bad",
    "violation": "bad",
    "blocked": "bad",
    "undecided": "ask",
    "advisory": "warn",
    "could-not-run": "warn",
    "waived": "hold",
    "met": "good",
    "passed": "good",
    "off": "none",
    "not applicable": "none",
}
_ALIASES: Final[Mapping[str, str]] = {
    "violation": "failed",
    "blocked": "failed",
    "passed": "met",
    "could-not-run": "advisory",
}


def colour(of: str) -> str:
    """Return the class that gives an outcome, a category or a status its colours."""
    return f"is-{_COLOURS.get(of, 'none')}"


def path(of: str) -> str:
    """Return the icon of an outcome, a category or a status; whoever uses it says the word beside it."""
    return _PATHS[_ALIASES.get(of, of)]


def rectangles(parts: Iterable[tuple[str, int]]) -> list[tuple[str, str, str]]:
    """Return the colour, start and width of each part of a bar that is a hundred wide.

    Args:
        parts: what each part is (an outcome, a category or a status) and its size.
    """
    sized = [(of, size) for of, size in parts if size > 0]
    total = sum(size for _, size in sized)
    found: list[tuple[str, str, str]] = []
    start = 0.0
    for of, size in sized:
        width = size * 100 / total
        found.append((colour(of), f"{start:.3f}", f"{width:.3f}"))
        start += width
    return found
