"""Print the benchmarks' table: `python -m tests.bench [pack|preview|rehearsal|checkov|lambdas|audit ...]`."""

from __future__ import annotations

import importlib
import sys
import time
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.bench.row import Row

# Only the modules of the parts that are asked for are imported: they need what the parts measure.
PARTS: Final = {
    "pack": "tests.bench.pack:measure",
    "preview": "tests.bench.preview:measure",
    "rehearsal": "tests.bench.preview:measure_rehearsal",
    "checkov": "tests.bench.checkov:measure",
    "lambdas": "tests.bench.lambdas:measure",
    "audit": "tests.bench.audit:measure",
}


def main(names: list[str]) -> int:
    """Measure the parts that are named, or all; 1 when a bound was missed, 2 for an unknown name."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.stderr.write(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(PARTS)}\n")
        return 2
    missed = 0
    for name in names or PARTS:
        module, _, function = PARTS[name].partition(":")
        measure = cast("Callable[[], Iterable[Row]]", vars(importlib.import_module(module))[function])
        start = time.monotonic()
        for row in measure():
            missed += not row.met
            status = "held  " if row.met else "MISSED"
            sys.stdout.write(f"{status} {row.what}: {row.figure} (bound {row.target})  {row.detail}\n")
            sys.stdout.flush()
        sys.stdout.write(f"       {name} took {time.monotonic() - start:.0f} s\n")
    return 1 if missed else 0


sys.exit(main(sys.argv[1:]))
