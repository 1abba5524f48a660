"""A Dask cluster of real processes on this machine, which a test may kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tapgate.json_access import mapping

if TYPE_CHECKING:
    from collections.abc import Generator

REPOSITORY = Path(__file__).parents[3]


@contextmanager
def scheduler(folder: Path) -> Generator[str]:
    """Run a scheduler that keeps its files in a folder; give its address."""
    file = folder / "scheduler.json"
    command = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    with _process(folder / "scheduler.log", *command, "--scheduler-file", str(file)):
        deadline = time.monotonic() + 60
        while not file.is_file() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.2)
        yield str(mapping(json.loads(file.read_text()))["address"])


@contextmanager
def worker(folder: Path, name: str) -> Generator[subprocess.Popen[bytes]]:
    """Run a worker with one thread, for the scheduler that keeps its files in the folder."""
    with _process(
        folder / f"{name}.log",
        "distributed.cli.dask_worker",
        "--scheduler-file",
        str(folder / "scheduler.json"),
        "--name",
        name,
        "--nthreads",
        "1",
        "--no-dashboard",
        "--no-nanny",
        "--local-directory",
        str(folder),
    ) as process:
        yield process


@contextmanager
def _process(log: Path, *arguments: str) -> Generator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield started
        finally:
            os.killpg(started.pid, signal.SIGTERM)
            started.wait(120)
