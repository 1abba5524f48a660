"""The functions as they are deployed: import, size, and the processor's throughput.

Imports are measured from what the zips hold, compiled ahead as Lambda's Python would find it, in fresh
processes that see nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lambdas.package.build import build, plan
from lambdas.package.bytecode import Compiler, compile_tree
from tests.bench.pairing import Cost, Ratio
from tests.bench.row import Row, at_most

if TYPE_CHECKING:
    from lambdas.package.build import Built

ROOT: Final = Path(__file__).parents[2]
PAIRS: Final = 15
IMPORT_BOUND: Final = 1.5
SIZE_BOUND: Final = 15
OVERHEAD_BOUND: Final = 1.5
"""The processor's time for a batch, for that of its AWS calls made bare."""


def measure() -> list[Row]:
    """Measure all of it."""
    with tempfile.TemporaryDirectory(prefix="tap-bench-") as folder:
        recipe = plan()
        rows: list[Row] = []
        for built in build(Path(folder) / "dist", recipe):
            site = Path(folder) / built.path.stem
            rows += [
                _import(built.path.stem, _unpack(built, site, recipe.compiler), site),
                at_most(
                    f"{built.path.name}",
                    built.size / 1e6,
                    SIZE_BOUND,
                    "with bytecode" if recipe.compiler else "without bytecode: no Python of Lambda's version",
                    " MB",
                ),
            ]
    return [*rows, _throughput()]


def _unpack(built: Built, site: Path, compiler: Compiler | None) -> Compiler:
    """Unpack a zip; the Python to run it with: the one it was compiled by, else this one, compiled for it."""
    with zipfile.ZipFile(built.path) as archive:
        archive.extractall(site)
    if compiler is not None:
        return compiler
    here = Compiler(sys.executable, sys.version.split()[0])
    compile_tree(here, site)
    return here


def _import(function: str, python: Compiler, site: Path) -> Row:
    handler, alone = f"import {function}.app", "import boto3"
    for statement in (handler, alone):
        _cost(python, site, statement)
    both = [(_cost(python, site, handler), _cost(python, site, alone)) for _ in range(PAIRS)]
    ratio = Ratio(tuple(ours for ours, _ in both), tuple(theirs for _, theirs in both))
    detail = f"{ratio.text}, Python {python.release}"
    return at_most(f"import {function} ÷ import boto3", ratio.median, IMPORT_BOUND, detail, "x")


def _cost(python: Compiler, site: Path, statement: str) -> Cost:
    """Processor time of a statement: wall-clock time would measure the machine's other work as well."""
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        f"import time\nbegin = time.process_time()\n{statement}\nprint(time.process_time() - begin)"
    )
    environment = {
        "AWS_DEFAULT_REGION": "eu-west-2",
        "POWERTOOLS_SERVICE_NAME": "tap",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [python.path, "-S", "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return Cost(float(done.stdout), float(done.stdout))


def _throughput() -> Row:
    command = [sys.executable, "-m", "tests.lambdas.throughput"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "lambdas"), str(ROOT)))}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=ROOT)
    figures: dict[str, float] = json.loads(done.stdout)
    detail = (
        f"{figures['milliseconds_a_batch']:.0f} ms a batch of 10, {figures['items_a_second']:.0f} items/s "
        "in one process, against the emulator"
    )
    return at_most(
        "processor, a batch ÷ its AWS calls alone", figures["overhead"], OVERHEAD_BOUND, detail, "x"
    )
