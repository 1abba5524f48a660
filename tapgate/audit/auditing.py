"""An audit as a whole: all states, all workers, one verdict file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulumi.runtime.proto import analyzer_pb2

from tapgate.analyzer.running import RunningPack
from tapgate.audit.pool import Pool, WorkerDiedError, connected, local_processes
from tapgate.audit.task import PassedOver, Result, Store, Task, audit_state, pack_digest
from tapgate.diagnose import could_not_run
from tapgate.engine import Engine
from tapgate.events import read_log
from tapgate.findings import CouldNotRunError
from tapgate.packs import RequestedPack, pack_options
from tapgate.reports.controls import PolicyInfo, policies_of
from tapgate.reports.verdict_file import Unaudited, VerdictFile

if TYPE_CHECKING:
    from tapgate.audit.states import State
    from tapgate.findings import Report

_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """How to audit.

    Attributes:
        scheduler: address of a Dask scheduler, or none for this machine.
    """

    packs: tuple[RequestedPack, ...]
    workers: int
    scheduler: str | None = None
    store: Store | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of an audit.

    Attributes:
        kept: number of states that did not have to be evaluated again.
        passed_over: files that were found among the states and are none, sorted.
    """

    verdicts: VerdictFile
    kept: int
    passed_over: tuple[str, ...] = ()


def audit(states: Sequence[State], plan: Plan, observe: Callable[[Result], None] = lambda _: None) -> Audit:
    """Audit many states.

    Raises:
        CouldNotRunError: a pack cannot be used at all, or the cluster cannot be reached.
    """
    policies = describe_usable(plan.packs)
    digest = pack_digest(plan.packs)
    reports: list[Report] = []
    unaudited: list[Unaudited] = []
    passed_over: list[str] = []
    kept = 0
    with _pool(plan) as (pool, sent):
        tasks = (Task(sent(state), plan.packs, digest, plan.store) for state in states)
        for task, result in pool.run(tasks):
            done = _died(task) if isinstance(result, WorkerDiedError) else result
            if isinstance(done.outcome, Unaudited):
                unaudited.append(done.outcome)
            elif isinstance(done.outcome, PassedOver):
                passed_over.append(done.outcome.name)
            else:
                reports.append(done.outcome)
            kept += done.kept
            observe(done)
    if states and len(passed_over) == len(states):
        raise CouldNotRunError(
            "There is no state.",
            where=", ".join(sorted(passed_over)[:_NAMED]) + (", …" if len(passed_over) > _NAMED else ""),
            why="none of the files is a state; what holds nothing must not look audited.",
            fix="name an exported state, a folder of such, or the folder of a self-managed backend.",
        )
    made = datetime.now(UTC)
    verdicts = VerdictFile.of("audit", reports, unaudited=unaudited, policies=policies, made=made)
    return Audit(verdicts, kept, tuple(sorted(passed_over)))


def describe_usable(packs: Sequence[RequestedPack]) -> tuple[PolicyInfo, ...]:
    """Start every pack once, and make sure that it can say something under its config.

    Raises:
        CouldNotRunError: a pack does not start, its config names a policy that it does not have, or all its
            policies are turned off.
    """
    infos: list[PolicyInfo] = []
    for pack in packs:
        with RunningPack(pack) as running:
            if all(level == analyzer_pb2.DISABLED for level in running.levels.values()):
                raise CouldNotRunError(
                    "No policy would be evaluated.",
                    where=f"pack {running.info.name}",
                    why="it has no policy, or all are turned off; nothing that was not evaluated may pass.",
                    fix="check the enforcement levels of the pack and of its config file.",
                )
            infos.extend(policies_of(running.description()))
    return tuple(infos)


@contextmanager
def _pool(plan: Plan) -> Generator[tuple[Pool[Task, Result], Callable[[State], State]]]:
    """Open the pool, with what makes a state ready to be sent to its workers."""
    if plan.scheduler is None:
        yield Pool(audit_state, local_processes, plan.workers), lambda state: state
        return
    with connected(plan.scheduler) as (executor, workers):
        yield Pool(audit_state, lambda _: nullcontext(executor), workers), _read


def _read(state: State) -> State:
    """Read a state here: a worker of the cluster need not see the file. What cannot be read fails there."""
    try:
        return replace(state, read=partial(bytes, state.read()))
    except CouldNotRunError:
        return state


def _died(task: Task) -> Result:
    failure = CouldNotRunError(
        "The state cannot be evaluated.",
        where=task.state.name,
        why="the worker that evaluated it ended without an answer, most likely for want of memory.",
        fix="give it more memory (fewer --workers), or remove the state from the audit.",
    )
    return Result(Unaudited.because(task.state.name, failure))


_STACK: Final = "pulumi:pulumi:Stack"
_STATE: Final = {
    "version": 3,
    "deployment": {
        "manifest": {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""},
        "resources": [
            {"urn": f"urn:pulumi:check::check::{_STACK}::check-check", "custom": False, "type": _STACK}
        ],
    },
}


def require_valid_config(packs: Sequence[RequestedPack]) -> None:
    """Have the engine check each config against the schemas of its pack's policies.

    Raises:
        CouldNotRunError: it does not accept one.
    """
    if not any(pack.body for pack in packs):
        return
    with tempfile.TemporaryDirectory(prefix="gate-") as scratch:
        state = Path(scratch) / "state.json"
        state.write_text(json.dumps(_STATE), encoding="utf-8")
        engine = Engine(Path(scratch), Path(scratch))
        options = pack_options(packs, Path(scratch))
        run = engine.run("policy", "analyze", "--file", str(state), "--json", *options, name="analyze")
        log = read_log(run.output)
        if not log.result:
            where = ", ".join(str(pack.config) for pack in packs if pack.config)
            raise could_not_run(log, run.errors, where=where, interrupted=run.interrupted)
