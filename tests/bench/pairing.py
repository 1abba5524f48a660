"""Ratios measured side by side: A and B in turn, the ratio pair by pair, the median of the ratios.

Beside the clock stands the processor time of all processes below this one: on a machine that others use as
well, it tells a figure from a neighbour's work.
"""

from __future__ import annotations

import contextlib
import os
import resource
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tapgate.processes import adopt_orphans, children

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_SECONDS_TO_END: Final = 5.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call cost.

    Attributes:
        seconds: of the clock.
        cpu: seconds of processor time, of this process and all below it.
    """

    seconds: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """Paired costs of two things.

    Attributes:
        ours: costs of the first, run by run.
        theirs: costs of the second.
    """

    ours: tuple[Cost, ...]
    theirs: tuple[Cost, ...]

    @property
    def median(self) -> float:
        """The median of the pairs' ratios by the clock, first ÷ second."""
        return statistics.median(self._pairs())

    @property
    def text(self) -> str:
        """Both medians in seconds, the spread of the ratio, and the same by processor time."""
        pairs = self._pairs()
        return (
            f"{_median(self.ours):.2f} s ÷ {_median(self.theirs):.2f} s"
            f" (ratios {pairs[0]:.2f} to {pairs[-1]:.2f}, {len(pairs)} pairs);"
            f" by processor time {self._by_processor():.2f}"
        )

    def _pairs(self) -> list[float]:
        return sorted(a.seconds / b.seconds for a, b in zip(self.ours, self.theirs, strict=True))

    def _by_processor(self) -> float:
        return statistics.median(a.cpu / b.cpu for a, b in zip(self.ours, self.theirs, strict=True))


def _median(costs: Sequence[Cost]) -> float:
    return statistics.median(one.seconds for one in costs)


def cost(action: Callable[[], object]) -> Cost:
    """Measure one call; what it starts and leaves to itself counts until it ends, or for a few seconds."""
    adopt_orphans()
    before, cpu, start = children(), _cpu_below(), time.perf_counter()
    action()
    seconds = time.perf_counter() - start
    deadline = time.monotonic() + _SECONDS_TO_END
    while (left := children() - before) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.002)
    return Cost(seconds, _cpu_below() - cpu)


def paired(ours: Callable[[], object], theirs: Callable[[], object], *, pairs: int) -> Ratio:
    """Warm both up, then measure them in turn."""
    ours()
    theirs()
    both = [(cost(ours), cost(theirs)) for _ in range(pairs)]
    return Ratio(tuple(a for a, _ in both), tuple(b for _, b in both))


def _cpu_below() -> float:
    """Add up what this process has used, those that it has waited for, and those below it that live."""
    parents: dict[int, tuple[int, int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                # utime, stime, cutime and cstime of proc_pid_stat(5), behind the name's last parenthesis.
                fields = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                parents[int(entry.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    below, fresh = set[int](), {os.getpid()}
    while fresh := {pid for pid, (parent, _) in parents.items() if parent in fresh}:
        below |= fresh
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    own = sum(one.ru_utime + one.ru_stime for one in used)
    return own + sum(parents[pid][1] for pid in below) / _TICKS
