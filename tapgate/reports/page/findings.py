"""The findings of the page: by category and policy, and what is waived."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from tapgate.json_access import sanitized
from tapgate.reports.controls import framework_title
from tapgate.reports.entry import NAMES, SOON, Category, Waiver, category_of, waiver_of
from tapgate.reports.wording import instant, named, source_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tapgate.findings import Finding
    from tapgate.reports.controls import Control, PolicyInfo
    from tapgate.reports.page.stacks import Found
    from tapgate.reports.verdict_file import VerdictFile

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


def category_view(verdicts: VerdictFile, found: Iterable[Found], category: Category) -> CategoryView:
    """Return the findings of one category, by policy."""
    groups: defaultdict[tuple[str, str], list[Found]] = defaultdict(list)
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


def _order(key: tuple[str, str], found: Sequence[Found]) -> tuple[int, int, tuple[str, str]]:
    """Category key of policies: the gravest first, then the most frequent, then by name."""
    severity = found[0].finding.severity
    grave = _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)
    return grave, -len(found), key


def _policy(anchor: str, info: PolicyInfo | None, found: Sequence[Found], *, several: bool) -> Policy:
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


def _entry(found: Found, *, several: bool, why: str, fix: str) -> Entry:
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


def waived_of(verdicts: VerdictFile, found: Iterable[Found]) -> Iterator[Waived]:
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
