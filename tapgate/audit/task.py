"""The audit of one state; runs in a worker, which keeps its packs running from one state to the next.

Results are kept, so that an interrupted audit goes on where it was and an unchanged state costs nothing: each
under a digest of the state and of the packs, so that it can never be taken for that of another.
"""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tapgate.analyzer.deployment import Deployment, NoStateError, begin, read_deployment, root_of
from tapgate.analyzer.direct import called, offers_itself, request_for, take
from tapgate.assemble import build_report, guardrails_of, managed, require_evaluated
from tapgate.findings import CouldNotRunError
from tapgate.reports.verdict_file import ShapeError, Unaudited, VerdictFile, from_json, to_json
from tapgate.reports.writing import write_file

if TYPE_CHECKING:
    from tapgate.analyzer.running import RunningPack
    from tapgate.audit.states import State
    from tapgate.events import EventLog
    from tapgate.findings import Report
    from tapgate.packs import RequestedPack


def default_folder() -> Path:
    """Return the folder in the user's cache where results are kept."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "tap-guardrails" / "audit"


@dataclass(frozen=True, slots=True)
class Store:
    """Results by key, one file each, in a folder that only the user can read."""

    folder: Path

    def get(self, key: str) -> Report | None:
        """Return a result, or nothing when there is none that can be read."""
        try:
            (report,) = from_json(self._path(key).read_bytes()).stacks
        except (OSError, ShapeError, ValueError):
            return None
        return report

    def put(self, key: str, report: Report) -> None:
        """Keep a result, whole or not at all; one that cannot be kept only costs time later."""
        path = self._path(key)
        with suppress(OSError, CouldNotRunError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_file(to_json(VerdictFile.of("audit", [report])).encode(), path)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}.json"


_NOT_THE_PACK: Final = frozenset({"__pycache__", "node_modules", "venv"})


@dataclass(frozen=True, slots=True)
class Task:
    """One state to audit.

    Attributes:
        digest: what the packs were when the audit began.
    """

    state: State
    packs: tuple[RequestedPack, ...]
    digest: str
    store: Store | None


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file that was found among states and is another JSON document."""

    name: str


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one state.

    Attributes:
        kept: it was not evaluated again: an earlier run did so, with the same packs on the same state.
    """

    outcome: Report | Unaudited | PassedOver
    kept: bool = False


def audit_state(task: Task) -> Result:
    """Audit one state; whatever is wrong with it becomes its own result."""
    try:
        return _audit(task)
    except NoStateError as failure:
        if task.state.discovered:
            return Result(PassedOver(task.state.name))
        return Result(Unaudited.because(task.state.name, failure))
    except CouldNotRunError as failure:
        return Result(Unaudited.because(task.state.name, failure))
    except RecursionError:
        failure = CouldNotRunError(
            "The state cannot be evaluated.",
            where=task.state.name,
            why="its values are nested too deeply.",
            fix="export the stack again (`pulumi stack export`), or remove the file from the audit.",
        )
        return Result(Unaudited.because(task.state.name, failure))


def _audit(task: Task) -> Result:
    body = task.state.read()
    # By the day as well: waivers end, and runtimes lose their support.
    about = f"{task.digest}\n{datetime.now(UTC).date()}\n"
    key = hashlib.sha256(about.encode() + body).hexdigest()
    known = task.store.get(key) if task.store is not None else None
    if known is not None:
        return Result(replace(known, guardrails=guardrails_of(task.packs)), kept=True)
    deployment = read_deployment(body, task.state.name)
    if pack_digest(task.packs) != task.digest:
        raise CouldNotRunError(
            "The policy pack is not the one that the audit began with.",
            where=", ".join(str(pack.folder) for pack in task.packs),
            why="its files changed on the way, or differ on this worker; results would not be comparable.",
            fix="run the audit again; on a cluster, give every worker the same pack at the same path.",
        )
    log = _evaluated(deployment, task.packs)
    require_evaluated(log, task.packs, allow_empty=True)
    report = build_report(
        log,
        project=deployment.project,
        stack=deployment.stack,
        requested=task.packs,
        locate=lambda _urn, _path: None,
        seconds=0.0,
        notes=deployment.notes,
    )
    if task.store is not None:
        task.store.put(key, report)
    return Result(report)


def _evaluated(deployment: Deployment, packs: tuple[RequestedPack, ...]) -> EventLog:
    """Ask the packs: those that offer themselves as a function here, the others over the protocol."""
    log = begin(deployment)
    for pack in filter(offers_itself, packs):
        answer = called(pack.folder, request_for(deployment, pack, {}))
        take(log, pack.folder, answer, root_of(deployment))
    others = tuple(pack for pack in packs if not offers_itself(pack))
    if others:
        _over_the_protocol(log, deployment, others)
    return managed(log)


def _over_the_protocol(log: EventLog, deployment: Deployment, packs: tuple[RequestedPack, ...]) -> None:
    from tapgate.analyzer.running import evaluate  # noqa: PLC0415 - few packs need the protocol

    running = _running(packs)
    try:
        evaluate(log, deployment, running)
    except CouldNotRunError:
        if not all(pack.alive for pack in running):
            close_packs()
        raise


@cache
def pack_digest(packs: tuple[RequestedPack, ...]) -> str:
    """Return a digest of everything that decides what packs say: their files and their config."""
    digest = hashlib.sha256()
    for pack in packs:
        for path in _files(pack.folder):
            digest.update(f"{path.relative_to(pack.folder).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        digest.update(repr(sorted(pack.body.items())).encode() + b"\0")
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    """Return a pack's own files, not those that were installed or compiled into its folder."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(name in _NOT_THE_PACK or name.startswith(".") for name in path.relative_to(folder).parts)
    )


class _Worker(threading.local):
    """The packs that one thread of a worker keeps running."""

    def __init__(self) -> None:
        self.packs: tuple[RequestedPack, ...] = ()
        self.running: list[RunningPack] = []


_worker: Final = _Worker()


def _running(packs: tuple[RequestedPack, ...]) -> list[RunningPack]:
    # A cluster's worker lives on: another audit may come with other packs, or another config of the same.
    if _worker.packs != packs:
        from tapgate.analyzer.running import RunningPack  # noqa: PLC0415 - as above

        close_packs()
        # A worker of a process pool ends without the interpreter's usual farewell.
        Finalize(None, _close, args=(_worker.running,), exitpriority=10)
        try:
            _worker.running.extend(map(RunningPack, packs))
        except BaseException:
            close_packs()
            raise
        _worker.packs = packs
    return _worker.running


def close_packs() -> None:
    """End the packs that this thread keeps running."""
    _worker.packs = ()
    _close(_worker.running)


def _close(running: list[RunningPack]) -> None:
    for pack in running:
        pack.close()
    running.clear()
