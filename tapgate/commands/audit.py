"""`tapgate audit`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tapgate.audit.auditing import Plan, audit
from tapgate.audit.bucket import Bucket, states_in_bucket
from tapgate.audit.console import AuditProgress, audit_lines
from tapgate.audit.engine_check import require_valid_config
from tapgate.audit.states import states_in, states_of
from tapgate.audit.store import Store, default_folder
from tapgate.commands.session import add_pack_options, packs_of
from tapgate.failure import CouldNotRunError, Exit
from tapgate.floor import read_floor
from tapgate.reports.writing import add_targets, targets_of, write
from tapgate.terminal import Ink
from tapgate.terminal import write as show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from tapgate.audit.states import State


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="an exported state, a folder of such, or the folder of a self-managed backend",
    )
    parser.add_argument(
        "--backend",
        action="append",
        default=[],
        metavar="URL",
        help="every stack of a backend, by its `pulumi login` address (s3://…, https://api.pulumi.com, …)",
    )
    add_pack_options(parser)
    parser.add_argument(
        "--workers",
        type=_at_least_one,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes on this machine",
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="use a Dask cluster instead (tcp://scheduler:8786)"
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=default_folder(),
        metavar="DIR",
        help="where results are kept, so that an interrupted audit goes on (default: the user's cache)",
    )
    parser.add_argument("--fresh", action="store_true", help="evaluate every state again, keep nothing")
    add_targets(parser)


def run(options: argparse.Namespace) -> Exit:
    """Audit, print the result, write the reports.

    Raises:
        CouldNotRunError: nothing can be audited, or the audit was interrupted.
    """
    packs = packs_of(options, read_floor(cast("Path | None", options.guardrails)))
    states = _states(options)
    require_valid_config(packs)
    results = cast("Path", options.results).absolute()
    plan = Plan(
        packs=tuple(packs),
        workers=min(cast("int", options.workers), len(states)),
        scheduler=cast("str | None", options.scheduler),
        store=None if options.fresh else Store(results),
    )
    start = time.monotonic()
    progress = AuditProgress(len(states), sys.stderr)
    try:
        done = audit(states, plan, progress.watch)
    except KeyboardInterrupt:
        raise CouldNotRunError(
            "The audit was interrupted.",
            where=f"{len(states):,} states",
            why="there is no result for all of them.",
            fix="run it again" + ("." if options.fresh else f": it goes on from what is kept in {results}."),
        ) from None
    ink = Ink.for_stream(sys.stdout)
    show(audit_lines(done, time.monotonic() - start, ink), sys.stdout)
    write(done.verdicts, targets_of(options))
    if done.verdicts.unaudited:
        return Exit.COULD_NOT_RUN
    return Exit.BLOCKED if done.verdicts.outcome == "blocked" else Exit.PASSED


def _states(options: argparse.Namespace) -> list[State]:
    paths, backends = cast("list[Path]", options.paths), cast("list[str]", options.backend)
    if not paths and not backends:
        raise CouldNotRunError(
            "No state was given.",
            where="PATH, --backend",
            why="an audit of nothing must not look like a pass.",
            fix="name exported states, a folder of such, or a backend.",
        )
    return [*states_in(paths), *(state for url in backends for state in _of_backend(url))]


def _of_backend(url: str) -> Sequence[State]:
    bucket = Bucket.of(url)
    return states_of(url) if bucket is None else states_in_bucket(bucket)


def _at_least_one(word: str) -> int:
    number = int(word)
    if number < 1:
        raise ValueError(word)
    return number
