"""What changed between two verdict files: what is new, what is gone, and which stacks can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapgate.reports.entry import CATEGORIES, NAMES, Identity, counts, identified
from tapgate.reports.score import Share, score

if TYPE_CHECKING:
    from tapgate.findings import Finding
    from tapgate.reports.verdict_file import VerdictFile


@dataclass(frozen=True, slots=True)
class Figure:
    """A count, before and now."""

    name: str
    before: int
    now: int
    fewer_is_better: bool = True


@dataclass(frozen=True, slots=True)
class SharePair:
    """A share, before and now.

    Attributes:
        before: the share in the earlier verdicts; of nothing, when that did not have it.
    """

    name: str
    before: Share
    now: Share


@dataclass(frozen=True, slots=True)
class Trend:
    """What changed since an earlier verdicts.

    Attributes:
        new: findings on stacks of both that the earlier one has not.
        gone: findings of the earlier one, on stacks of both, that are no longer there.
        changed: (before, now) of findings in both whose verdict or level differs.
        shares: checks first, then each framework.
    """

    since: str
    new: tuple[tuple[Identity, Finding], ...]
    gone: tuple[tuple[Identity, Finding], ...]
    changed: tuple[tuple[Identity, Finding, Finding], ...]
    stacks_added: tuple[tuple[str, str], ...]
    stacks_left: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]
    shares: tuple[SharePair, ...]


def compare(earlier: VerdictFile, now: VerdictFile) -> Trend:
    """Say what changed from the earlier verdicts to this one.

    A stack that only one of them has is named and not counted as progress or as decline.
    """
    stacks_before = {(one.project, one.stack) for one in earlier.stacks}
    stacks_now = {(one.project, one.stack) for one in now.stacks}
    both = stacks_before & stacks_now
    before_all, now_all = _findings(earlier), _findings(now)
    return Trend(
        since=earlier.made,
        new=_only(now_all, before_all, both),
        gone=_only(before_all, now_all, both),
        changed=tuple(
            (identity, before_all[identity], finding)
            for identity, finding in now_all.items()
            if identity in before_all and _weight(before_all[identity]) != _weight(finding)
        ),
        stacks_added=tuple(sorted(stacks_now - stacks_before)),
        stacks_left=tuple(sorted(stacks_before - stacks_now)),
        figures=_figures(earlier, before_all.values(), now, now_all.values()),
        shares=_shares(earlier, now),
    )


def _findings(verdicts: VerdictFile) -> Mapping[Identity, Finding]:
    return {identity: finding for report in verdicts.stacks for identity, finding in identified(report)}


def _only(
    these: Mapping[Identity, Finding], those: Mapping[Identity, Finding], stacks: set[tuple[str, str]]
) -> tuple[tuple[Identity, Finding], ...]:
    return tuple(
        (identity, finding)
        for identity, finding in these.items()
        if identity not in those and (identity.project, identity.stack) in stacks
    )


def _weight(finding: Finding) -> tuple[str, bool]:
    return finding.verdict, finding.blocks


def _figures(
    earlier: VerdictFile, before: Iterable[Finding], now: VerdictFile, current: Iterable[Finding]
) -> tuple[Figure, ...]:
    past, present = counts(before), counts(current)
    return (
        *(Figure(NAMES[category], past[category], present[category]) for category in CATEGORIES),
        Figure("Stacks that could not be audited", len(earlier.unaudited), len(now.unaudited)),
        Figure("Stacks with a verdict", len(earlier.stacks), len(now.stacks), fewer_is_better=False),
    )


def _shares(earlier: VerdictFile, now: VerdictFile) -> tuple[SharePair, ...]:
    before, current = score(earlier), score(now)
    past = {one.framework: one.share for one in before.frameworks}
    frameworks = (
        SharePair(one.framework, past.get(one.framework, Share(0, 0)), one.share)
        for one in current.frameworks
    )
    return (SharePair("", before.checks, current.checks), *frameworks)
