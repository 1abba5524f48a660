"""The audit of an organisation: 1,000 stacks of 100 resources, on processes here and on a cluster."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tapgate.analyzer.deployment import Deployment, begin, read_deployment, root_of
from tapgate.analyzer.direct import called, request_for, take
from tapgate.analyzer.running import RunningPack, evaluate
from tapgate.json_access import sequence
from tapgate.packs import RequestedPack
from tests.bench.audit_states import EVERY, write_states
from tests.bench.pairing import cost
from tests.bench.row import Row, at_least, at_most
from tests.stack.engine import PACK
from tests.tapgate.audit.dask_cluster import REPOSITORY, scheduler, worker

if TYPE_CHECKING:
    from collections.abc import Callable

STACKS: Final = 1_000
RESOURCES: Final = 100
BLOCKED: Final = 1


@dataclass(frozen=True, slots=True)
class Run:
    """What one audit cost.

    Attributes:
        seconds: of the clock.
        cpu: seconds of processor time, of all its processes.
        megabytes: most memory that one of its processes held at once.
    """

    seconds: float
    cpu: float
    megabytes: float


class Organisation:
    """States in a folder, and audits of them."""

    def __init__(self, folder: Path, stacks: int = STACKS) -> None:
        self.folder = folder
        self.states = folder / "states"
        self.stacks = stacks
        write_states(self.states, stacks, RESOURCES)

    def audit(self, name: str, *options: str, during: Callable[[int], None] = lambda _: None) -> Run:
        """Audit all states in a process of its own; it has to end by itself, with the breaches found.

        Args:
            name: of the verdict file.
            options: further options of the command.
            during: called once it runs, with its process id.
        """
        start = time.perf_counter()
        process = self._start(name, *options)
        during(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == BLOCKED, (self.folder / f"{name}.log").read_text()
        cpu = usage.ru_utime + usage.ru_stime
        return Run(time.perf_counter() - start, cpu, usage.ru_maxrss / 1024)

    def interrupted(self, name: str, *options: str) -> Run:
        """Audit until half of the results are kept, and interrupt it there."""
        start = time.perf_counter()
        process = self._start(name, *options)
        self.wait_for(self.stacks // 2)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 2
        return Run(time.perf_counter() - start, 0, 0)

    def wait_for(self, results: int) -> None:
        """Wait until so many results are kept."""
        deadline = time.monotonic() + 600
        while sum(1 for _ in self.results.rglob("*.json")) < results:
            assert time.monotonic() < deadline
            time.sleep(0.2)

    def sample(self) -> list[Path]:
        """Return some of the states."""
        return sorted(self.states.iterdir())[:20]

    @property
    def results(self) -> Path:
        """Where results are kept."""
        return self.folder / "results"

    def verdict(self, name: str) -> dict[str, object]:
        """Read a verdict; without the time at which it was made."""
        return json.loads((self.folder / f"{name}.json").read_text()) | {"made": ""}

    def _start(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tapgate", "audit", str(self.states), "--policy-pack", str(PACK)]
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [*command, "--verdict", str(self.folder / f"{name}.json"), *options],
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
            )


def scaling(all_stacks: Organisation, two: Run) -> list[Row]:
    """One worker against two; what it costs; both say the same."""
    one = all_stacks.audit("one", "--workers", "1", "--fresh")
    verdict = all_stacks.verdict("one")
    assert verdict == all_stacks.verdict("two")
    assert len(sequence(verdict["stacks"])) == STACKS
    words = f"{one.seconds:.1f} s ÷ {two.seconds:.1f} s, {two.cpu:.0f} s of processor time"
    return [
        at_least("audit of 1,000 stacks, 1 worker ÷ 2", one.seconds / two.seconds, 1.5, words),
        at_most("its largest process", two.megabytes, 300, "of all the audit's processes", " MB"),
    ]


def resuming(all_stacks: Organisation) -> Row:
    """Interrupt an audit half-way and go on, against one that was not interrupted."""
    options = ("--workers", "2", "--results", str(all_stacks.results))
    first = all_stacks.interrupted("halted", *options)
    second = all_stacks.audit("resumed", *options)
    assert all_stacks.verdict("resumed") == all_stacks.verdict("two")
    unbroken = all_stacks.audit("unbroken", "--workers", "2", "--fresh")
    words = f"({first.seconds:.1f} + {second.seconds:.1f}) s ÷ {unbroken.seconds:.1f} s, the same verdict"
    ratio = (first.seconds + second.seconds) / unbroken.seconds
    return at_most("interrupted half-way and resumed ÷ at one go", ratio, 1.3, words)


def on_a_cluster(organisation: Organisation) -> Row:
    """The same on a Dask cluster of two processes, one killed half-way, against two processes here."""
    with ExitStack() as running:
        address = running.enter_context(scheduler(organisation.folder))
        running.enter_context(worker(organisation.folder, "b"))
        doomed = running.enter_context(worker(organisation.folder, "a"))

        def kill(_: int) -> None:
            organisation.wait_for(organisation.stacks // 2)
            doomed.kill()

        options = ("--scheduler", address, "--results", str(organisation.results))
        cluster = organisation.audit("cluster", *options, during=kill)
    local = organisation.audit("local", "--workers", "2", "--fresh")
    assert organisation.verdict("cluster") == organisation.verdict("local")
    words = f"{cluster.seconds:.1f} s ÷ {local.seconds:.1f} s, the same verdict"
    return at_most("Dask, 1 of 2 workers killed half-way ÷ here", cluster.seconds / local.seconds, 2.5, words)


def against_the_engine(organisation: Organisation, audited: Run) -> Row:
    """`pulumi policy analyze`, stack by stack, against the audit; on stacks in breach, so that both look."""
    states = sorted(organisation.states.iterdir())[: EVERY * 5 : EVERY]

    def analyze() -> None:
        for state in states:
            command = ["pulumi", "policy", "analyze", "--file", str(state), "--policy-pack", str(PACK)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert "log-group-retention" in done.stdout, done.stdout + done.stderr

    theirs = cost(analyze).seconds / len(states)
    ours = audited.seconds / organisation.stacks
    words = f"{theirs * 1000:.0f} ms ÷ {ours * 1000:.0f} ms a stack of {RESOURCES} resources"
    return at_least("pulumi policy analyze ÷ audit with 2 workers", theirs / ours, 10, words)


def called_or_asked(organisation: Organisation) -> Row:
    """Each state by the pack's function, and over the protocol, in turn; both say the same."""
    pack = RequestedPack(PACK, None)
    deployments = [read_deployment(path.read_bytes(), path.name) for path in organisation.sample()]
    running = RunningPack(pack)

    def call() -> list[object]:
        return [_called(deployment, pack) for deployment in deployments]

    def ask() -> list[object]:
        logs = [evaluate(begin(deployment), deployment, [running], {}) for deployment in deployments]
        return [sorted(log.findings, key=repr) for log in logs]

    try:
        assert call() == ask()
        pairs = [(cost(ask).cpu, cost(call).cpu) for _ in range(5)]
    finally:
        running.close()
    theirs, ours = (statistics.median(one) / len(deployments) * 1000 for one in zip(*pairs, strict=True))
    words = f"{theirs:.0f} ms ÷ {ours:.0f} ms of processor time a stack of {RESOURCES} resources"
    return at_least("asked over the protocol ÷ called", theirs / ours, 5, words)


def _called(deployment: Deployment, pack: RequestedPack) -> object:
    log = begin(deployment)
    take(log, pack.folder, called(pack.folder, request_for(deployment, pack, {})), root_of(deployment))
    return sorted(log.findings, key=repr)


def measure() -> list[Row]:
    """Every figure of the audit."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ["PULUMI_BACKEND_URL"] = folder.as_uri()
        (folder / "whole").mkdir()
        (folder / "part").mkdir()
        everything = Organisation(folder / "whole")
        two = everything.audit("two", "--workers", "2", "--fresh")
        return [
            against_the_engine(everything, two),
            called_or_asked(everything),
            *scaling(everything, two),
            resuming(everything),
            on_a_cluster(Organisation(folder / "part", stacks=200)),
        ]
