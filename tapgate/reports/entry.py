"""What every report says of a finding: its category, its identity in another run, its waiver."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tapgate.findings import Finding, Report

Category = Literal["violation", "undecided", "advisory", "waived"]

CATEGORIES: Final[tuple[Category, ...]] = ("violation", "undecided", "advisory", "waived")
NAMES: Final[Mapping[Category, str]] = {
    "violation": "Blocking violations",
    "undecided": "Undecided",
    "advisory": "Advisory",
    "waived": "Waived",
}


def category_of(finding: Finding) -> Category:
    """Tell a finding's category; one that blocks is never among the waived or the advisory ones."""
    if finding.verdict in {"undecided", "error"}:
        return "undecided"
    if finding.blocks:
        return "violation"
    return "waived" if finding.verdict == "waived" else "advisory"


def counts(findings: Iterable[Finding]) -> Mapping[Category, int]:
    """Count findings by category, every category named."""
    found: dict[Category, int] = dict.fromkeys(CATEGORIES, 0)
    for finding in findings:
        found[category_of(finding)] += 1
    return found


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """A finding's identity.

    Attributes:
        project: name of the project.
        stack: name of the stack.
        pack: name of the pack.
        policy: name of the policy.
        urn: the resource.
        property_path: the property.
        number: from 1, for the findings that are alike in all of these.
    """

    project: str
    stack: str
    pack: str
    policy: str
    urn: str
    property_path: str
    number: int

    @property
    def fingerprint(self) -> str:
        """The identity as 32 hexadecimal digits."""
        parts = (self.project, self.stack, self.pack, self.policy, self.urn, self.property_path, self.number)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def identified(report: Report) -> Iterator[tuple[Identity, Finding]]:
    """Yield each finding of a stack with its identity, in the order of the report."""
    seen: Counter[tuple[str, str, str, str]] = Counter()
    for finding in report.findings:
        key = (finding.pack, finding.policy, finding.urn, finding.property_path)
        seen[key] += 1
        yield Identity(report.project, report.stack, *key, number=seen[key]), finding


_REASON: Final = ("reason", "waiver", "justification")
_OWNER: Final = ("owner",)
_EXPIRES: Final = ("expires", "expiry", "until")
SOON: Final = 30
"""Days before a waiver's expiry from which a report points it out."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """Why a finding is let through, who answers for that, and until when.

    Attributes:
        reason: the reason, or empty when the pack does not say.
        owner: who answers for it, or empty.
        expires: the date as the pack writes it, or empty.
    """

    reason: str
    owner: str
    expires: str

    def days_left(self, today: date | None) -> int | None:
        """Return the days until expiry, negative once it has passed; none when either date is unknown."""
        try:
            last = date.fromisoformat(self.expires.strip())
        except ValueError:
            return None
        return None if today is None else (last - today).days

    def remaining(self, today: date | None) -> str:
        """Say how long it still holds, in words; empty when that is unknown."""
        days = self.days_left(today)
        if days is None:
            return ""
        if days == 0:
            return "expires today"
        unit = "day" if abs(days) == 1 else "days"
        return f"{days} {unit} left" if days > 0 else f"expired {-days} {unit} ago"


def waiver_of(finding: Finding) -> Waiver | None:
    """Return the finding's waiver, or none when it is not waived."""
    if finding.verdict != "waived":
        return None
    words = {key.lower(): value for key, value in finding.more}

    def first(keys: tuple[str, ...]) -> str:
        return next((words[key] for key in keys if words.get(key)), "")

    return Waiver(reason=first(_REASON), owner=first(_OWNER), expires=first(_EXPIRES))
