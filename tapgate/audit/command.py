"""`tapgate audit`: what is asked for, how far it is, and at the end what it found."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO, cast

from tapgate.assemble import count, coverage_text
from tapgate.audit.auditing import Audit, Plan, audit, require_valid_config
from tapgate.audit.bucket import Bucket, states_in_bucket
from tapgate.audit.states import State, states_in, states_of
from tapgate.audit.task import PassedOver, Result, Store, default_folder
from tapgate.commands.session import add_pack_options, packs_of
from tapgate.findings import CouldNotRunError, Exit
from tapgate.floor import read_floor
from tapgate.json_access import sanitized
from tapgate.reports.verdict_file import Unaudited
from tapgate.reports.writing import add_targets, targets_of, write
from tapgate.terminal import Ink, guardrails_lines
from tapgate.terminal import write as show

if TYPE_CHECKING:
    import argparse

    from tapgate.findings import Report


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
    """Audit, print the result, write the reports."""
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
        done = audit(states, plan, progress.observe)
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
    states = states_in(paths)
    for url in backends:
        bucket = Bucket.of(url)
        states += states_of(url) if bucket is None else states_in_bucket(bucket)
    return states


def _at_least_one(word: str) -> int:
    number = int(word)
    if number < 1:
        raise ValueError(word)
    return number


_MOST: Final = 20


class AuditProgress:
    """Says how far an audit is: one changing line on a terminal, ten lines elsewhere."""

    def __init__(self, total: int, stream: TextIO) -> None:
        self._total = total
        self._stream = stream
        self._start = time.monotonic()
        self._outcomes: Counter[str] = Counter()
        self._said = 0

    def observe(self, result: Result) -> None:
        """Take one more result in."""
        one = result.outcome
        if isinstance(one, PassedOver):
            word = "passed over"
        else:
            word = "not audited" if isinstance(one, Unaudited) else one.outcome
        self._outcomes[word] += 1
        done = self._outcomes.total()
        if self._stream.isatty():
            end = "\r\x1b[2K" if done == self._total else ""
            self._stream.write(f"\r\x1b[2K  {self._line(done)}{end}")
        elif done * 10 // self._total > self._said:
            self._said = done * 10 // self._total
            self._stream.write(f"  {self._line(done)}\n")
        self._stream.flush()

    def _line(self, done: int) -> str:
        seconds = max(time.monotonic() - self._start, 0.001)
        left = (self._total - done) * seconds / done
        counts = "".join(f", {self._outcomes[name]:,} {name}" for name in ("blocked", "not audited"))
        return (
            f"audited {done:,} of {self._total:,}{counts}; {done / seconds:.0f} a second, {left:.0f} s left"
        )


def audit_lines(audit: Audit, seconds: float, ink: Ink) -> Iterator[str]:
    """Yield the lines that tell an audit's result."""
    verdicts = audit.verdicts
    packs = {(one.name, one.version, one.path) for stack in verdicts.stacks for one in stack.packs}
    for name, version, path in sorted(packs):
        yield "  " + ink.paint("pack      ", "dim") + sanitized(f"{name} {version}  {path}")
    yield ""
    yield from _policy_lines(verdicts.stacks, ink)
    blocked = [one for one in verdicts.stacks if one.outcome == "blocked"]
    blocked.sort(key=lambda one: -sum(finding.blocks for finding in one.findings))
    yield from _listed("BLOCKED", ("red", "bold"), [_blocked(stack, ink) for stack in blocked], ink)
    told = [
        f"{sanitized(one.name)}  {sanitized(one.what)} {sanitized(one.why)}" for one in verdicts.unaudited
    ]
    yield from _listed("NOT AUDITED", ("red", "bold"), told, ink)
    other = [f"{sanitized(name)}  It is a JSON file, and not a state." for name in audit.passed_over]
    yield from _listed("PASSED OVER", ("yellow",), other, ink)
    yield ""
    coverage = coverage_text(verdicts.stacks)
    if coverage:
        yield "  " + ink.paint("coverage  ", "dim") + sanitized(coverage)
    yield from guardrails_lines(verdicts.stacks, ink)
    yield _summary(audit, len(blocked), seconds, ink)


def _policy_lines(stacks: tuple[Report, ...], ink: Ink) -> Iterator[str]:
    findings: Counter[str] = Counter()
    blocking: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    evaluated: Counter[str] = Counter()
    for stack in stacks:
        findings.update(one.policy for one in stack.findings)
        blocking.update(one.policy for one in stack.findings if one.blocks)
        hit.update({one.policy for one in stack.findings})
        evaluated.update({one.policy for one in stack.tallies if one.passed or one.failed})
        evaluated.update({one.policy: 0 for one in stack.tallies})
    width = max(map(len, evaluated), default=0)
    for policy in sorted(evaluated):
        name = f"{sanitized(policy):<{width}}"
        if findings[policy]:
            mark, style = ("✗", "red") if blocking[policy] else ("!", "yellow")
            of = count(evaluated[policy], "stack")
            said = f"{count(findings[policy], 'finding')} in {hit[policy]:,} of {of}"
        elif evaluated[policy]:
            mark, style, said = "✓", "green", count(evaluated[policy], "stack")
        else:
            mark, style, said = "-", "dim", "not applicable"
        yield f"  {ink.paint(ink.mark(mark), style)} {name}  {ink.paint(said, 'dim')}"


def _blocked(stack: Report, ink: Ink) -> str:
    blocking = count(sum(finding.blocks for finding in stack.findings), "finding")
    return f"{sanitized(f'{stack.project} / {stack.stack}')}  {ink.paint(blocking, 'dim')}"


def _listed(word: str, styles: Sequence[str], told: Sequence[str], ink: Ink) -> Iterator[str]:
    """Yield a section of some of them, each under the same word."""
    if told:
        yield ""
    for one in told[:_MOST]:
        yield f"{ink.paint(word, *styles)}{' ' * (13 - len(word))}{one}"
    if len(told) > _MOST:
        yield f"             and {len(told) - _MOST:,} more; --html or --verdict has them all"


def _summary(audit: Audit, blocked: int, seconds: float, ink: Ink) -> str:
    stacks, unaudited = len(audit.verdicts.stacks), len(audit.verdicts.unaudited)
    resources = sum(one.resources for one in audit.verdicts.stacks)
    parts = [
        f"{count(stacks, 'stack')} with {count(resources, 'resource')} audited",
        f"{blocked:,} blocked",
        *([f"{unaudited:,} not audited"] if unaudited else []),
        *([f"{audit.kept:,} unchanged since an earlier audit"] if audit.kept else []),
        f"{seconds:.1f} s",
    ]
    word, style = "PASSED", "green"
    if unaudited:
        word, style = "NOT COMPLETE", "red"
    elif blocked:
        word, style = "BLOCKED BY POLICY", "red"
    return f"{ink.paint(word, style, 'bold')}  {', '.join(parts)}"
