"""What is known of a metric: who emits it, with which dimensions, and between which values."""

from __future__ import annotations

import math
import re
from typing import Final

from tap_guardrails.model.record import record

INFINITY: Final = math.inf


@record
class Range:
    """The values that something can take, both ends included."""

    low: float = -INFINITY
    high: float = INFINITY


COUNT: Final = Range(0)
NOUGHT_OR_ONE: Final = Range(0, 1)
ONE: Final = Range(1, 1)
POSITIVE: Final = Range(1)
PERCENT: Final = Range(0, 100)

STATISTICS: Final = frozenset({"SampleCount", "Average", "Sum", "Minimum", "Maximum"})
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""

EXTENDED_STATISTIC: Final = re.compile(
    r"(?P<name>p|tm|tc|ts|wm)(100|\d{1,2}(\.\d{1,10})?)"
    r"|(?P<trimmed>TM|TC|TS|WM|PR)\((\d+(\.\d+)?%?)?:(\d+(\.\d+)?%?)?\)"
    r"|(?P<middle>IQM)",
    re.IGNORECASE,
)
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html"""

WITHOUT_SAMPLE_COUNT: Final = frozenset({"Average", "Sum", "Minimum", "Maximum"})
OF_EVENTS: Final = frozenset({"Average", "Sum", "Maximum"})


@record
class Metric:
    """A metric that AWS emits.

    Attributes:
        dimensions: The sets of dimensions that it is emitted with; others have no data.
        unit: Its unit, the only one that has data.
        sample: The values of a single sample.
        sparse: Whether AWS sends it only when there is something to tell, so that no data is the good news.
        statistics: The plain statistics that say something about what the metric counts.
    """

    dimensions: tuple[frozenset[str], ...]
    unit: str
    sample: Range
    sparse: bool = False
    statistics: frozenset[str] = WITHOUT_SAMPLE_COUNT

    def suits(self, statistic: str) -> bool:
        """Tell whether a statistic says something about what the metric counts."""
        return statistic not in STATISTICS or statistic in self.statistics


def legal_statistic(statistic: str) -> bool:
    """Tell whether CloudWatch knows a statistic, plain or extended."""
    return statistic in STATISTICS or EXTENDED_STATISTIC.fullmatch(statistic) is not None


def sets(*names: str) -> tuple[frozenset[str], ...]:
    """Write sets of dimensions: each argument is one, its names parted by a comma; empty is no dimension."""
    return tuple(frozenset(filter(None, name.split(","))) for name in names)
