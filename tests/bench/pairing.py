"""Ratios measured side by side: A and B in turn, the ratio pair by pair, the median of the ratios."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Ratio:
    """Paired timings of two things.

    Attributes:
        ours: seconds of each run of the first.
        theirs: seconds of each run of the second.
    """

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of the pairs' ratios, first ÷ second."""
        return statistics.median(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def text(self) -> str:
        """Both medians in seconds, and the spread of the ratio."""
        pairs = sorted(a / b for a, b in zip(self.ours, self.theirs, strict=True))
        return (
            f"{statistics.median(self.ours):.2f} s ÷ {statistics.median(self.theirs):.2f} s"
            f" (ratios {pairs[0]:.2f} to {pairs[-1]:.2f}, {len(pairs)} pairs)"
        )


def seconds(action: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def paired(ours: Callable[[], object], theirs: Callable[[], object], *, pairs: int) -> Ratio:
    """Warm both up, then time them in turn."""
    ours()
    theirs()
    both = [(seconds(ours), seconds(theirs)) for _ in range(pairs)]
    return Ratio(tuple(a for a, _ in both), tuple(b for _, b in both))
