"""Print the benchmarks' table: `python -m tests.bench [pack|preview|checkov|lambdas|audit ...]`."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.bench.row import Row

PARTS: Final = ("pack", "preview", "checkov", "lambdas", "audit")


def main(names: list[str]) -> int:
    """Measure the parts that are named, or all; 1 when a target was missed, 2 for an unknown name."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.stderr.write(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(PARTS)}\n")
        return 2
    met = True
    for name in names or PARTS:
        rows: list[Row] = importlib.import_module(f"tests.bench.{name}").measure()
        for row in rows:
            met = met and row.met
            verdict = "ok    " if row.met else "MISSED"
            sys.stdout.write(f"{verdict} {row.what}: {row.figure} (target {row.target})  {row.detail}\n")
            sys.stdout.flush()
    return 0 if met else 1


sys.exit(main(sys.argv[1:]))
