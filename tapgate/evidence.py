"""Proof, from the engine's own events, that the packs were loaded and evaluated.

The engine ends with success as well when a pack has no policies, or has all of them turned off. Such a run
must not be told from a pass by what is absent; it is told by what has to be there.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from tapgate.failure import CouldNotRunError
from tapgate.findings import Pack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tapgate.events import EventLog
    from tapgate.packs import RequestedPack

_LONGEST_PATH = 75
_MOST_STEPS = 4
_NOT_EVALUATED = "nothing that was not evaluated may pass."
_REPORT = "run `pulumi preview` with the pack by hand; if that evaluates it, report a bug of the gate."


def loaded_packs(log: EventLog, requested: Sequence[RequestedPack] = ()) -> tuple[Pack, ...]:
    """Return the packs that the engine loaded, sorted by name.

    Args:
        log: the run's events.
        requested: the packs asked for, by whose folders long paths are told in full.
    """
    configs = {str(pack.folder): pack.config_words for pack in requested}
    folders = {_abbreviated(str(pack.folder)): str(pack.folder) for pack in requested}
    packs: list[Pack] = []
    for key, version in log.packs.items():
        name, _, rest = key.partition("|")
        path = rest.partition("|")[2]
        folder = folders.get(path, path)
        packs.append(Pack(name=name, version=version, path=folder, config=configs.get(folder, "")))
    return tuple(sorted(packs, key=lambda pack: (pack.name, pack.path)))


def require_evaluated(log: EventLog, requested: Sequence[RequestedPack], *, allow_empty: bool) -> None:
    """Make sure that every pack asked for was loaded and asked about every resource and the stack.

    Args:
        log: events of a run that ended well or was blocked.
        requested: the packs asked for.
        allow_empty: accept that no policy applied to anything.

    Raises:
        CouldNotRunError: the proof is not complete.
    """
    if log.truncated or log.result not in {"succeeded", "failed"}:
        raise _unproven("The engine's event log is incomplete.", "its last event is missing")
    _require_told_apart(requested)
    packs = loaded_packs(log, requested)
    paths = {pack.path for pack in packs}
    for pack in requested:
        if str(pack.folder) not in paths:
            raise _unproven("A policy pack was asked for and not loaded.", str(pack.folder))
    _require_stack_policies(log, packs)
    _require_every_resource(log, packs)
    if not allow_empty:
        _require_something(log, packs)


def _require_told_apart(requested: Sequence[RequestedPack]) -> None:
    folders = sorted({str(pack.folder) for pack in requested})
    for before, after in pairwise(sorted(folders, key=_abbreviated)):
        if _abbreviated(before) == _abbreviated(after):
            raise CouldNotRunError(
                "Two policy packs cannot be told apart.",
                where=f"{before} and {after}",
                why=f"the engine calls both {_abbreviated(after)}; nothing proves that both were evaluated.",
                fix="name one of them by a path of at most 75 characters, or run the gate once for each.",
            )


def _abbreviated(path: str) -> str:
    """Write a path as the engine's events do: abbreviateFilePath in pkg/engine/update.go of pulumi."""
    steps = path.split("/")
    if len(path.encode()) <= _LONGEST_PATH or len(steps) <= _MOST_STEPS:
        return path
    return "/".join([*steps[:2], "...", *steps[-2:]])


def _require_stack_policies(log: EventLog, packs: Sequence[Pack]) -> None:
    done = Counter(summary.pack for summary in log.stack_analyzed)
    for name, count in Counter(pack.name for pack in packs).items():
        if done[name] < count:
            raise _unproven("A pack's stack policies were not evaluated.", f"pack {name}")


def _require_every_resource(log: EventLog, packs: Sequence[Pack]) -> None:
    done = Counter((summary.pack, summary.urn) for summary in log.analyzed)
    for name, count in Counter(pack.name for pack in packs).items():
        missing = sorted(urn for urn in log.declared if done[name, urn] < count)
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise _unproven("A resource was not evaluated.", f"pack {name}, resource {missing[0]}{more}")


def _require_something(log: EventLog, packs: Sequence[Pack]) -> None:
    for pack in packs:
        summaries = [one for one in (*log.analyzed, *log.stack_analyzed) if one.pack == pack.name]
        if not any(one.passed or one.failed for one in summaries):
            raise CouldNotRunError(
                "No policy was evaluated.",
                where=f"pack {pack.name}, resources: {len(log.declared)}",
                why=f"the pack has no policy, or all are off, or none applies to anything; {_NOT_EVALUATED}",
                fix="check the pack's enforcement levels; if none is meant to apply here, add --allow-empty.",
            )


def _unproven(what: str, where: str) -> CouldNotRunError:
    return CouldNotRunError(what, where=where, why=_NOT_EVALUATED, fix=_REPORT)
