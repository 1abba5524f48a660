"""How a policy or a control stands on a stack: one word each, and what counts for which word."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tapgate.findings import Finding, PolicyTally, Report

Status = Literal["failed", "undecided", "waived", "off", "met", "not applicable"]

WORST_FIRST: Final[tuple[Status, ...]] = ("failed", "undecided", "waived", "off", "met", "not applicable")
"""A control stands as the worst of its policies. Off is worse than met: half the evidence is missing."""

MEANINGS: Final[Mapping[Status, str]] = {
    "failed": "A policy found a violation.",
    "undecided": "A value is not known before deployment, or the rule itself failed.",
    "waived": "A violation is let through by a waiver, until it expires.",
    "off": "A policy is turned off by the pack's config file.",
    "met": "Every policy was evaluated and found nothing.",
    "not applicable": "There is nothing in the stack that it is about, or its pack keeps it off by default.",
}


@dataclass(frozen=True, slots=True)
class PolicyStatus:
    """How one policy stands on one stack.

    Attributes:
        policy: its name.
        pack: name of its pack.
        status: the word.
        kind: `resource`, `stack`, or empty when the engine counted nothing.
        passed: number of checks (resources, or 1 for the stack) without a finding.
        failed: number of checks with one.
        not_applicable: number of resources to which it does not apply.
        findings: number of findings.
    """

    policy: str
    pack: str
    status: Status
    kind: Literal["resource", "stack", ""]
    passed: int
    failed: int
    not_applicable: int
    findings: int


def worst(statuses: Iterable[Status]) -> Status:
    """Return the worst of several; of none, `off`, since nothing was evaluated."""
    found = set(statuses)
    for word in WORST_FIRST:
        if word in found:
            return word
    return "off"


def policy_statuses(report: Report, known: Iterable[tuple[str, str]] = ()) -> tuple[PolicyStatus, ...]:
    """Say how each policy stands on a stack, sorted by pack and name.

    The engine tells which policies passed and failed, not which did not apply: a policy of an evaluated pack
    of which it says nothing had nothing to judge.

    Args:
        report: the stack's verdict.
        known: further policies, as (pack, policy); those of other packs are passed over.
    """
    evaluated = {pack.name for pack in report.packs}
    findings: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in report.findings:
        findings[finding.pack, finding.policy].append(finding)
    tallies: defaultdict[tuple[str, str], list[PolicyTally]] = defaultdict(list)
    for tally in report.tallies:
        tallies[tally.pack, tally.policy].append(tally)
    keys = sorted({*findings, *tallies, *(key for key in known if key[0] in evaluated)})
    return tuple(_status(key, findings.get(key, []), tallies.get(key, [])) for key in keys)


def _status(
    key: tuple[str, str], findings: Sequence[Finding], tallies: Sequence[PolicyTally]
) -> PolicyStatus:
    pack, policy = key
    return PolicyStatus(
        policy=policy,
        pack=pack,
        status=_word(findings, tallies),
        kind=tallies[0].kind if tallies else "",
        passed=sum(tally.passed for tally in tallies),
        failed=sum(tally.failed for tally in tallies),
        not_applicable=sum(tally.not_applicable for tally in tallies),
        findings=len(findings),
    )


def _word(findings: Sequence[Finding], tallies: Sequence[PolicyTally]) -> Status:
    if findings:
        return worst(_finding_word(finding) for finding in findings)
    if any(tally.failed > 0 for tally in tallies):
        # The engine counted a failure whose finding is not here: it must not pass for compliance.
        return "failed"
    if any(tally.disabled for tally in tallies):
        return "off"
    return "met" if any(tally.passed > 0 for tally in tallies) else "not applicable"


def _finding_word(finding: Finding) -> Status:
    if finding.verdict == "waived":
        return "waived"
    return "failed" if finding.verdict == "violation" else "undecided"
