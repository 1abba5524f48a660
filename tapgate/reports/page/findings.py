"""The findings of the page: by stack, by category and policy, and what is waived."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from tapgate.assemble import coverage_words
from tapgate.json_access import sanitized
from tapgate.reports.controls import Control, PolicyInfo, framework_title
from tapgate.reports.entry import (
    CATEGORIES,
    NAMES,
    SOON,
    Category,
    Identity,
    Waiver,
    category_of,
    counts,
    identified,
    instant,
    named,
    resource,
    source_of,
    waiver_of,
)

if TYPE_CHECKING:
    from tapgate.findings import Finding, Report
    from tapgate.reports.verdict_file import VerdictFile


@dataclass(frozen=True, slots=True)
class Anchored:
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
    findings: Sequence[Anchored]


def stacks_of(verdicts: VerdictFile) -> list[Stack]:
    """Return the stacks, the one with the most blocking findings first."""

    def blocking(report: Report) -> int:
        return sum(finding.blocks for finding in report.findings)

    ordered = sorted(verdicts.stacks, key=lambda one: (-blocking(one), one.project, one.stack))
    uses: Counter[str] = Counter()
    return [_stack(f"stack-{number}", one, uses) for number, one in enumerate(ordered, 1)]


def _stack(anchor: str, report: Report, uses: Counter[str]) -> Stack:
    found: list[Anchored] = []
    for identity, finding in identified(report):
        name = anchor_of(identity)
        uses[name] += 1
        found.append(Anchored(name if uses[name] == 1 else f"{name}-{uses[name]}", anchor, identity, finding))
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


Badge = tuple[str, str]
"""What a badge is about (a category or a status), and its words."""

SHOWN: Final = 10
"""Findings of one policy that are open from the start; further ones unfold."""
_LEADS: Final[Mapping[str, str]] = {
    "violation": "Violations of mandatory policies. They stop the deployment until fixed or waived.",
    "undecided": "What could not be decided: a value is only known after deployment, or the rule itself "
    "failed. Under a mandatory policy that stops the deployment as a violation does.",
    "advisory": "Policies that advise. They stop nothing.",
}
_NONE: Final[Mapping[str, str]] = {
    "violation": "No mandatory policy is violated.",
    "undecided": "Every policy could be decided.",
    "advisory": "No advice.",
}
_SEVERITIES: Final = ("critical", "high", "medium", "low")
_NOT_SAID: Final = "not said"


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding."""

    anchor: str
    stack_anchor: str
    finding: Finding
    resource: str
    stack: str
    source: str
    why: str
    fix: str
    flags: Sequence[Badge]
    more: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Policy:
    """The findings of one policy."""

    anchor: str
    key: tuple[str, str]
    name: str
    title: str
    severity: str
    controls: Sequence[tuple[str, Sequence[str]]]
    url: str
    why: str
    fix: str
    entries: Sequence[Entry]

    @property
    def shown(self) -> Sequence[Entry]:
        """The findings that are open from the start."""
        return self.entries[:SHOWN]

    @property
    def folded(self) -> Sequence[Entry]:
        """The others."""
        return self.entries[SHOWN:]


@dataclass(frozen=True, slots=True)
class CategoryView:
    """The findings of one category."""

    key: Category
    title: str
    total: int
    lead: str
    policies: Sequence[Policy] = ()


@dataclass(frozen=True, slots=True)
class Waived:
    """A finding that is let through."""

    anchor: str
    stack_anchor: str
    finding: Finding
    resource: str
    stack: str
    reason: str
    owner: str
    expires: str
    remaining: str
    urgent: str


def category_view(verdicts: VerdictFile, found: Iterable[Anchored], category: Category) -> CategoryView:
    """Return the findings of one category, by policy."""
    groups: defaultdict[tuple[str, str], list[Anchored]] = defaultdict(list)
    for one in found:
        if one.category == category:
            groups[one.finding.pack, one.finding.policy].append(one)
    if not groups:
        return CategoryView(category, NAMES[category], 0, _NONE[category])
    known, several = verdicts.known_policies, len(verdicts.stacks) > 1
    ordered = sorted(groups, key=lambda key: _order(key, groups[key]))
    policies = [
        _policy(f"{category}-{number}", known.get(key), groups[key], several=several)
        for number, key in enumerate(ordered, 1)
    ]
    return CategoryView(category, NAMES[category], sum(map(len, groups.values())), _LEADS[category], policies)


def _order(key: tuple[str, str], found: Sequence[Anchored]) -> tuple[int, int, tuple[str, str]]:
    """Category key of policies: the gravest first, then the most frequent, then by name."""
    severity = found[0].finding.severity
    grave = _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)
    return grave, -len(found), key


def _policy(anchor: str, info: PolicyInfo | None, found: Sequence[Anchored], *, several: bool) -> Policy:
    first = found[0].finding
    why = _only({one.finding.why or one.finding.description for one in found})
    fix = _only({one.finding.fix for one in found})
    controls: Sequence[Control] = info.controls if info else ()
    frameworks = dict.fromkeys(one.framework for one in controls)
    return Policy(
        anchor=anchor,
        key=(first.pack, first.policy),
        name=first.policy,
        title=named(info.title if info else "", first.policy, "Unnamed policy"),
        severity=first.severity or (info.severity if info else ""),
        controls=[
            (framework_title(name), [one.identifier for one in controls if one.framework == name])
            for name in frameworks
        ],
        url=info.url if info else "",
        why=why,
        fix=fix,
        entries=[
            _entry(
                one, several=several, why="" if why else one.finding.why, fix="" if fix else one.finding.fix
            )
            for one in found
        ],
    )


def _only(words: set[str]) -> str:
    """Return what all findings say alike, or nothing."""
    return next(iter(words)) if len(words) == 1 else ""


def _entry(found: Anchored, *, several: bool, why: str, fix: str) -> Entry:
    finding = found.finding
    return Entry(
        anchor=found.anchor,
        stack_anchor=found.stack,
        finding=finding,
        resource=found.resource,
        stack=f"{found.identity.project} / {found.identity.stack}" if several else "",
        source=source_of(finding),
        why=why,
        fix=fix,
        flags=[*_flags(finding)],
        more=[(sanitized(key), value) for key, value in finding.more],
    )


def _flags(finding: Finding) -> Iterator[Badge]:
    """Yield what the section's title does not say."""
    if finding.verdict == "error":
        yield "undecided", "the rule failed"
    if finding.verdict == "waived" and finding.blocks:
        yield "waived", "waived, and still blocking"
    if category_of(finding) == "undecided":
        yield ("violation", "blocks") if finding.blocks else ("advisory", "does not block")


def waived_of(verdicts: VerdictFile, found: Iterable[Anchored]) -> Iterator[Waived]:
    """Yield what is waived, the one that expires first on top."""
    several = len(verdicts.stacks) > 1
    made = instant(verdicts.made)
    today = made.date() if made else None
    waived = [
        (one, waiver)
        for one in found
        if (waiver := waiver_of(one.finding)) is not None and one.category == "waived"
    ]
    for one, waiver in sorted(waived, key=lambda pair: (_due(pair[1]), pair[0].identity)):
        days = waiver.days_left(today)
        urgent = "" if days is None or days > SOON else "violation" if days < 0 else "advisory"
        yield Waived(
            anchor=one.anchor,
            stack_anchor=one.stack,
            finding=one.finding,
            resource=one.resource,
            stack=f"{one.identity.project} / {one.identity.stack}" if several else "",
            reason=waiver.reason or _NOT_SAID,
            owner=waiver.owner or _NOT_SAID,
            expires=waiver.expires or _NOT_SAID,
            remaining=waiver.remaining(today),
            urgent=urgent,
        )


def _due(waiver: Waiver) -> int:
    days = waiver.days_left(date.min)
    return date.max.toordinal() if days is None else days
