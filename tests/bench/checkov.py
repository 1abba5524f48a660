"""The pack's start and evaluation over the protocol against a whole Checkov run on the same resources.

A stack of 40 resources has the size and the services of the TAP stack.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.pack import Workload, start_and_evaluate
from tests.bench.pairing import paired
from tests.bench.row import Row, at_least
from tests.bench.stacks import RESOURCES_PER_TEAM, synthetic_stack
from tests.bench.terraform import terraform

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE = "TAP_BENCH_CHECKOV"
"""Environment variable with the Checkov executable; `nox -s bench` sets it."""


def run(folder: str) -> Callable[[], None]:
    """Return what runs Checkov over a folder of Terraform; findings are no failure here."""
    command = [
        os.environ[PLACE],
        "--directory",
        folder,
        "--framework",
        "terraform",
        "--skip-download",
        "--quiet",
    ]
    quiet = {**os.environ, "LOG_LEVEL": "ERROR", "CHECKOV_RUN_SCA_PACKAGE_SCAN": "false"}

    def once() -> None:
        done = subprocess.run(
            [*command, "--soft-fail"], capture_output=True, text=True, env=quiet, check=True
        )
        said = (done.stdout + done.stderr)[-1000:]
        assert re.search(r"Passed checks: [1-9]", done.stdout), f"Checkov found nothing to evaluate: {said}"

    return once


def compare(what: str, size: int, bound: float, pairs: int) -> Row:
    """Evaluate a stack of one size with both."""
    workload = Workload(size)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.tf").write_text(terraform(synthetic_stack(size)))
        ratio = paired(run(folder), lambda: start_and_evaluate(workload), pairs=pairs)
    return at_least(f"Checkov ÷ the pack, {what}", ratio.median, bound, ratio.text)


def measure() -> list[Row]:
    """Compare on a stack of the TAP stack's size and on 5,000 resources."""
    return [
        compare("a stack of the TAP stack's size", 2 * RESOURCES_PER_TEAM, 5, pairs=5),
        compare("5,000 resources", 5_000, 3, pairs=2),
    ]
