"""Sentences that more than one report says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tapgate.json_access import sanitized

if TYPE_CHECKING:
    from tapgate.findings import Finding
    from tapgate.reports.verdict_file import VerdictFile

_OUTCOMES: Final = {"passed": "Passed", "blocked": "Blocked", "could-not-run": "Incomplete"}
STACK_TYPE: Final = "pulumi:pulumi:Stack"


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: `1 stack`, `2,048 stacks`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


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


def at_words(made: str) -> str:
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
    stopped = sum(report.outcome == "blocked" for report in verdicts.stacks)
    if verdicts.unaudited:
        missing = f"{count(len(verdicts.unaudited), 'stack')} could not be audited"
        return f"{missing}; {_many(blocking, stopped, len(verdicts.stacks))}"
    if not verdicts.stacks:
        return "No stack was evaluated."
    if len(verdicts.stacks) > 1:
        sentence = _many(blocking, stopped, len(verdicts.stacks))
        return sentence[0].upper() + sentence[1:]
    if blocking:
        stop = "stops" if blocking == 1 else "stop"
        return f"{count(blocking, 'finding')} {stop} {_what(verdicts)}."
    return f"No finding stops {_what(verdicts)}."


def _what(verdicts: VerdictFile) -> str:
    return "this stack from meeting the policies" if verdicts.kind == "audit" else "the deployment"


def _many(blocking: int, stopped: int, stacks: int) -> str:
    if not stacks:
        return "nothing else was evaluated."
    if not stopped:
        return f"no mandatory policy is violated on the {count(stacks, 'stack')} evaluated."
    verb = "has" if stopped == 1 else "have"
    return f"{stopped:,} of {count(stacks, 'stack')} {verb} {count(blocking, 'blocking finding')}."


def resource(finding: Finding) -> str:
    """Name what a finding is about, in words that are safe to show."""
    if finding.type == STACK_TYPE or not finding.name.strip():
        return "the stack as a whole"
    return sanitized(finding.name)


def source_of(finding: Finding) -> str:
    """Say where in the program the resource is declared; empty when the engine does not know."""
    if finding.location is None:
        return ""
    through = f", in component {finding.location.through}" if finding.location.through else ""
    return sanitized(f"{finding.location}{through}")
