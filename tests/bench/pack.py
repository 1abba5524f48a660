"""The pack over the protocol: start, evaluation, growth, memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from tap_guardrails import evaluate
from tests.bench.pairing import paired
from tests.bench.row import Row, at_least, at_most
from tests.bench.stacks import synthetic_stack
from tests.policypack.harness.pack import (
    LIMITS,
    PACK_FOLDER,
    analyze_request,
    pack_command,
    running_process,
    stack_request,
)
from tests.policypack.harness.records import records

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pulumi.runtime.proto import analyzer_pb2 as proto

PACKS: Final = Path(__file__).with_name("packs")
ONE_RULE: Final = PACKS / "one_rule"
UNMODIFIED: Final = PACKS / "unmodified"


class Workload:
    """A stack, put on the wire once, so that only sending and evaluating it is timed."""

    def __init__(self, size: int) -> None:
        resources = synthetic_stack(size)
        self._singles = [analyze_request(resource) for resource in resources]
        self._whole = stack_request(resources)

    def run(self, stub: AnalyzerStub) -> None:
        """Ask for each resource, then for the whole stack; the stack is compliant."""
        analyze, analyze_stack = (method(stub, name) for name in ("Analyze", "AnalyzeStack"))
        for request in self._singles:
            assert not analyze(request).diagnostics, request.name
        answer = analyze_stack(self._whole)
        assert not answer.diagnostics, answer.diagnostics[0].message


def method(stub: AnalyzerStub, name: str) -> Callable[[object], proto.AnalyzeResponse]:
    """Return a method of the stub, which the stubs of grpc leave untyped."""
    return cast("Callable[[object], proto.AnalyzeResponse]", getattr(stub, name))


@contextmanager
def connected(folder: Path) -> Generator[tuple[AnalyzerStub, int]]:
    """Run a pack; give its stub and its process id."""
    with (
        running_process(folder) as (process, port),
        grpc.insecure_channel(f"127.0.0.1:{port}", options=LIMITS) as channel,
    ):
        yield AnalyzerStub(channel), process.pid


def start(folder: Path) -> Callable[[], None]:
    """Return what starts a pack until it has told about itself, as an engine waits for it, and ends it.

    Some packs are slow to end when asked to. Both have their bytecode, as an installed pack has it.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def once() -> None:
        command = pack_command(folder)
        with subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as one:
            assert one.stdout is not None
            with grpc.insecure_channel(f"127.0.0.1:{int(one.stdout.readline())}") as channel:
                tell = cast("Callable[[Empty], object]", vars(AnalyzerStub(channel))["GetAnalyzerInfo"])
                assert tell(Empty())
            one.kill()

    return once


def in_process() -> Row:
    """Evaluate a state's 5,000 resources in a process of its own: against evaluation and a Python start."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.json"
        state.write_text(json.dumps(records(synthetic_stack(5_000))))
        program = (
            f"import json, sys; sys.path.insert(0, {str(PACK_FOLDER)!r}); "
            f"from tap_guardrails import evaluate; evaluate(json.load(open({str(state)!r})))"
        )

        def python(code: str) -> None:
            subprocess.run([sys.executable, "-c", code], check=True)

        def alone() -> None:
            evaluate(json.loads(state.read_text()))
            python("pass")

        ratio = paired(lambda: python(program), alone, pairs=5)
    return at_most(
        "5,000 resources of a state file ÷ the same here and a Python start", ratio.median, 1.2, ratio.text
    )


def start_and_evaluate(workload: Workload) -> None:
    """Start our pack, evaluate a stack, end it."""
    with connected(PACK_FOLDER) as (stub, _):
        workload.run(stub)


def peak_megabytes(pid: int) -> float:
    """The most memory that a process has held at once (`VmHWM` of proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def evaluation() -> list[Row]:
    """Evaluate 5,000 resources against the yardstick, and 1,000 against the same rules served otherwise."""
    workload, small = Workload(5_000), Workload(1_000)
    with ExitStack() as packs:
        ours, plain, unmodified = (
            packs.enter_context(connected(folder))[0] for folder in (PACK_FOLDER, ONE_RULE, UNMODIFIED)
        )
        yardstick = paired(lambda: workload.run(ours), lambda: workload.run(plain), pairs=3)
        served = paired(lambda: small.run(unmodified), lambda: small.run(ours), pairs=3)
    return [
        at_most("5,000 resources ÷ one-rule pack", yardstick.median, 1.2, yardstick.text),
        at_least("1,000 resources, pulumi-policy's servicer ÷ ours", served.median, 3, served.text),
    ]


def growth() -> list[Row]:
    """Evaluate ten times as much; tell the memory it took."""
    small, large = Workload(1_000), Workload(10_000)
    with connected(PACK_FOLDER) as (stub, pid):
        grown = paired(lambda: large.run(stub), lambda: small.run(stub), pairs=2)
        peak = peak_megabytes(pid)
    return [
        at_most("10,000 resources ÷ 1,000", grown.median, 11, grown.text),
        at_most("peak memory at 10,000 resources", peak, 400, "of the pack's process", " MB"),
    ]


def measure() -> list[Row]:
    """Every figure of the pack alone."""
    started = paired(start(PACK_FOLDER), start(ONE_RULE), pairs=9)
    return [
        at_most("pack start ÷ one-rule pack", started.median, 1.25, started.text),
        *evaluation(),
        in_process(),
        *growth(),
    ]
