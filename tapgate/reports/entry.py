"""What more than one report says: a finding's category, identity and waiver, and sentences on verdicts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, Literal

from tapgate.assemble import count
from tapgate.json_access import sanitized

if TYPE_CHECKING:
    from tapgate.findings import Finding, Report
    from tapgate.reports.verdict_file import VerdictFile

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
    tally: dict[Category, int] = dict.fromkeys(CATEGORIES, 0)
    for finding in findings:
        tally[category_of(finding)] += 1
    return tally


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """A finding's identity.

    Attributes:
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
    fields = {key.lower(): value for key, value in finding.more.items()}

    def first(keys: tuple[str, ...]) -> str:
        return next((fields[key] for key in keys if fields.get(key)), "")

    return Waiver(reason=first(_REASON), owner=first(_OWNER), expires=first(_EXPIRES))


_OUTCOMES: Final = {"passed": "Passed", "blocked": "Blocked", "could-not-run": "Incomplete"}
STACK_TYPE: Final = "pulumi:pulumi:Stack"


def named(*candidates: str) -> str:
    """Return the first name that is not blank; the last one never is."""
    return next(name for name in candidates if name.strip())


def instant(made: str) -> datetime | None:
    """Read a time in ISO 8601, in UTC; none when it has no time zone or is no time."""
    try:
        at = datetime.fromisoformat(made)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def guardrails_of(verdicts: VerdictFile) -> list[str]:
    """Return the operators' guardrails that verdicts are by, in words, each once."""
    return list(dict.fromkeys(str(one.guardrails) for one in verdicts.stacks if one.guardrails is not None))


def time_text(made: str) -> str:
    """Say a time for people: `26 October 2026, 06:00 UTC`; what is no time stays as it is."""
    at = instant(made)
    return sanitized(made) if at is None else f"{at.day} {at:%B %Y, %H:%M} UTC"


def outcome_word(verdicts: VerdictFile) -> str:
    """Return the outcome in one word."""
    return _OUTCOMES[verdicts.outcome]


def subject(verdicts: VerdictFile) -> str:
    """Say what the verdicts are about: the stack, or how many."""
    if len(verdicts.stacks) == 1 and not verdicts.unaudited:
        (report,) = verdicts.stacks
        return sanitized(f"{report.project} / {report.stack}")
    return count(len(verdicts.stacks) + len(verdicts.unaudited), "stack")


def headline(verdicts: VerdictFile) -> str:
    """Return the verdict in one sentence."""
    findings = [finding for report in verdicts.stacks for finding in report.findings]
    blocking = sum(finding.blocks for finding in findings)
    blocked = sum(report.outcome == "blocked" for report in verdicts.stacks)
    if verdicts.unaudited:
        missing = f"{count(len(verdicts.unaudited), 'stack')} could not be audited"
        return f"{missing}; {_many(blocking, blocked, len(verdicts.stacks))}"
    if not verdicts.stacks:
        return "No stack was evaluated."
    if len(verdicts.stacks) > 1:
        sentence = _many(blocking, blocked, len(verdicts.stacks))
        return sentence[0].upper() + sentence[1:]
    if blocking:
        stop = "stops" if blocking == 1 else "stop"
        return f"{count(blocking, 'finding')} {stop} {_what(verdicts)}."
    return f"No finding stops {_what(verdicts)}."


def _what(verdicts: VerdictFile) -> str:
    return "this stack from meeting the policies" if verdicts.kind == "audit" else "the deployment"


def _many(blocking: int, blocked: int, stacks: int) -> str:
    if not stacks:
        return "nothing else was evaluated."
    if not blocked:
        return f"no mandatory policy is violated on the {count(stacks, 'stack')} evaluated."
    verb = "has" if blocked == 1 else "have"
    return f"{blocked:,} of {count(stacks, 'stack')} {verb} {count(blocking, 'blocking finding')}."


def resource(finding: Finding) -> str:
    """Name what a finding is about, in words that are safe to show."""
    if finding.type == STACK_TYPE or not finding.name.strip():
        return "the stack as a whole"
    return sanitized(finding.name)


def about(finding: Finding) -> str:
    """Name what a finding is about, with its type."""
    return resource(finding) + (f" ({finding.type})" if finding.type and finding.name.strip() else "")


def labelled(*pairs: tuple[str, str]) -> list[str]:
    """Return a line for each value that is there, with its label."""
    return [f"{label}: {value}" for label, value in pairs if value]


def source_of(finding: Finding) -> str:
    """Say where in the program the resource is declared; empty when the engine does not know."""
    if finding.location is None:
        return ""
    through = f", in component {finding.location.through}" if finding.location.through else ""
    return sanitized(f"{finding.location}{through}")
