"""The stacks of a page about several: a row each in the table, and a section each with what was found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapgate.assemble import coverage_words
from tapgate.reports.entry import CATEGORIES, Category, Identity, category_of, counts, identified
from tapgate.reports.wording import named, resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tapgate.findings import Finding, Report
    from tapgate.reports.verdict_file import VerdictFile


@dataclass(frozen=True, slots=True)
class Found:
    """One finding, and the anchors of its full account and of its stack's section."""

    anchor: str
    stack: str
    identity: Identity
    finding: Finding

    @property
    def category(self) -> Category:
        """The category."""
        return category_of(self.finding)

    @property
    def summary(self) -> str:
        """What is wrong, or else the policy that says so."""
        return named(self.finding.summary, self.finding.policy, "Finding")

    @property
    def resource(self) -> str:
        """What it is about."""
        return resource(self.finding)


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack of several."""

    anchor: str
    name: str
    outcome: str
    found: Mapping[Category, int]
    resources: int
    passed: int
    checks: int
    coverage: str
    by_tags: Sequence[str]
    by_none: Sequence[str]
    findings: Sequence[Found]


def stacks_of(verdicts: VerdictFile) -> list[Stack]:
    """Return the stacks, the one with the most blocking findings first."""

    def blocking(report: Report) -> int:
        return sum(finding.blocks for finding in report.findings)

    ordered = sorted(verdicts.stacks, key=lambda one: (-blocking(one), one.project, one.stack))
    taken: Counter[str] = Counter()
    return [_stack(f"stack-{number}", one, taken) for number, one in enumerate(ordered, 1)]


def _stack(anchor: str, report: Report, taken: Counter[str]) -> Stack:
    found: list[Found] = []
    for identity, finding in identified(report):
        name = anchor_of(identity)
        taken[name] += 1
        found.append(Found(name if taken[name] == 1 else f"{name}-{taken[name]}", anchor, identity, finding))
    return Stack(
        anchor=anchor,
        name=f"{report.project} / {report.stack}",
        outcome=report.outcome,
        found=counts(report.findings),
        resources=report.resources,
        passed=sum(tally.passed for tally in report.tallies),
        checks=sum(tally.passed + tally.failed for tally in report.tallies),
        coverage=coverage_words([report]),
        by_tags=report.covered_by("tags"),
        by_none=report.covered_by("none"),
        findings=sorted(found, key=lambda one: CATEGORIES.index(one.category)),
    )


def anchor_of(identity: Identity) -> str:
    """Return a finding's anchor, which is the same in the next report: a link to a finding can be kept."""
    return f"finding-{identity.fingerprint[:16]}"
