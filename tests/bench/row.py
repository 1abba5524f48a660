"""One line of the benchmark's table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A figure and its target.

    Attributes:
        what: what was measured.
        figure: the figure.
        target: the bound it is held against, e.g. `<= 1.25`.
        met: whether the figure is within it.
        detail: what the figure is made of.
    """

    what: str
    figure: str
    target: str
    met: bool
    detail: str


def at_most(what: str, figure: float, bound: float, detail: str, unit: str = "") -> Row:
    """A figure that should not be above its bound."""
    return Row(what, f"{figure:.2f}{unit}", f"<= {bound:g}{unit}", figure <= bound, detail)


def at_least(what: str, figure: float, bound: float, detail: str, unit: str = "") -> Row:
    """A figure that should not be below its bound."""
    return Row(what, f"{figure:.2f}{unit}", f">= {bound:g}{unit}", figure >= bound, detail)
