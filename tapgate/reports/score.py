"""How policies and controls stand: the status of each, and the share that holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from tapgate.reports.controls import Control, control_order

if TYPE_CHECKING:
    from tapgate.findings import Finding, PolicyTally, Report
    from tapgate.reports.verdict_file import VerdictFile

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


_SUMMED: Final = ("passed", "failed", "not_applicable", "findings", "affected", "stacks")
"""What several stacks have of a policy, together."""


@dataclass(frozen=True, slots=True)
class PolicyStatus:
    """How one policy stands, on one stack or on several: the worst of them counts.

    Attributes:
        kind: `resource`, `stack`, or empty when the engine counted nothing.
        passed: number of checks (resources, or 1 for the stack) without a finding.
        failed: number of checks with one.
        affected: number of stacks with a finding.
        stacks: number of stacks that were asked.
    """

    policy: str
    pack: str
    status: Status
    kind: Literal["resource", "stack", ""]
    passed: int
    failed: int
    not_applicable: int
    findings: int
    affected: int
    stacks: int = 1

    @property
    def share(self) -> Share:
        """The checks without a finding."""
        return Share(self.passed, self.passed + self.failed)


def worst(statuses: Iterable[Status]) -> Status:
    """Return the worst of several; of none, `off`, since nothing was evaluated."""
    present = set(statuses)
    for word in WORST_FIRST:
        if word in present:
            return word
    return "off"


def policy_statuses(report: Report, known: Iterable[tuple[str, str]] = ()) -> tuple[PolicyStatus, ...]:
    """Say how each policy stands on a stack, sorted by pack and name.

    The engine tells which policies passed and failed, not which did not apply: a policy of an evaluated pack
    of which it says nothing had nothing to evaluate.

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
        affected=int(bool(findings)),
    )


def _word(findings: Sequence[Finding], tallies: Sequence[PolicyTally]) -> Status:
    if findings:
        of_verdicts: Mapping[str, Status] = {"waived": "waived", "violation": "failed"}
        return worst(of_verdicts.get(finding.verdict, "undecided") for finding in findings)
    if any(tally.failed > 0 for tally in tallies):
        # The engine counted a failure whose finding is not here: it must not pass for compliance.
        return "failed"
    if any(tally.disabled for tally in tallies):
        return "off"
    return "met" if any(tally.passed > 0 for tally in tallies) else "not applicable"


Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole that holds."""

    holds: int
    of: int

    @property
    def percent(self) -> int | None:
        """Whole percent, rounded down; none of nothing."""
        return self.holds * 100 // self.of if self.of else None


@dataclass(frozen=True, slots=True)
class ControlScore:
    """How one control stands.

    Attributes:
        stacks: number of stacks by status.
    """

    control: Control
    policies: tuple[str, ...]
    stacks: Mapping[Status, int]

    @property
    def status(self) -> Status:
        """The worst status on any stack."""
        return worst(self.stacks)

    @property
    def share(self) -> Share:
        """The stacks on which it holds, among those to which it applies."""
        applies = sum(self.stacks.values()) - self.stacks.get("not applicable", 0)
        return Share(self.stacks.get("met", 0), applies)


@dataclass(frozen=True, slots=True)
class FrameworkScore:
    """How one framework stands."""

    framework: str
    controls: tuple[ControlScore, ...]

    @property
    def share(self) -> Share:
        """The controls that hold, among those that apply, each counted once a stack."""
        shares = [control.share for control in self.controls]
        return Share(sum(share.holds for share in shares), sum(share.of for share in shares))

    def counts(self) -> Mapping[Status, int]:
        """Return the number of controls by status, each counted once a stack."""
        tally: Counter[Status] = Counter()
        for control in self.controls:
            tally.update(control.stacks)
        return {status: tally[status] for status in WORST_FIRST}


@dataclass(frozen=True, slots=True)
class Score:
    """Every figure of a verdict file.

    Attributes:
        frameworks: sorted by key; empty when no policy names a control.
    """

    frameworks: tuple[FrameworkScore, ...]
    policies: tuple[PolicyStatus, ...]
    checks: Share


def score(verdicts: VerdictFile) -> Score:
    """Count a verdict file out."""
    per_stack = [policy_statuses(report, verdicts.known_policies) for report in verdicts.stacks]
    by_policy: defaultdict[tuple[str, str], list[PolicyStatus]] = defaultdict(list)
    for statuses in per_stack:
        for one in statuses:
            by_policy[one.pack, one.policy].append(one)
    policies = tuple(_policy_score(by_policy[key]) for key in sorted(by_policy))
    return Score(
        frameworks=_frameworks(verdicts, per_stack),
        policies=policies,
        checks=Share(sum(one.passed for one in policies), sum(one.passed + one.failed for one in policies)),
    )


def _policy_score(statuses: list[PolicyStatus]) -> PolicyStatus:
    """Return how a policy stands on all stacks."""
    sums = {name: sum(getattr(one, name) for one in statuses) for name in _SUMMED}
    first = next((one for one in statuses if one.kind), statuses[0])
    return replace(first, status=worst(one.status for one in statuses), **sums)


def _frameworks(
    verdicts: VerdictFile, per_stack: Iterable[tuple[PolicyStatus, ...]]
) -> tuple[FrameworkScore, ...]:
    answered: defaultdict[Control, set[tuple[str, str]]] = defaultdict(set)
    for info in verdicts.policies:
        for control in info.controls:
            answered[control].add((info.pack, info.policy))
    stacks: defaultdict[Control, Counter[Status]] = defaultdict(Counter)
    for statuses in per_stack:
        status_by: Mapping[Key, Status] = {(one.pack, one.policy): one.status for one in statuses}
        for control, keys in answered.items():
            mine: list[Status] = [status_by[key] for key in keys if key in status_by]
            if mine:
                stacks[control][worst(mine)] += 1
    grouped: defaultdict[str, list[ControlScore]] = defaultdict(list)
    for control in sorted(stacks, key=control_order):
        names = tuple(sorted({policy for _, policy in answered[control]}))
        grouped[control.framework].append(ControlScore(control, names, dict(stacks[control])))
    return tuple(FrameworkScore(name, tuple(grouped[name])) for name in sorted(grouped))
