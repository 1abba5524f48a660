"""The score of controls, frameworks and checks over all stacks of a verdict file.

A control holds on a stack when every policy that answers it was evaluated there and found nothing. A
framework's score is the share of its controls, each counted once a stack, that hold, among those that apply:
undecided, waived and turned-off ones do not hold. Percentages are rounded down, so that 100 % means all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapgate.reports.controls import Control, control_order
from tapgate.reports.status import WORST_FIRST, PolicyStatus, Status, policy_statuses, worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tapgate.reports.verdict_file import VerdictFile

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole that holds.

    Attributes:
        holds: how many hold.
        of: how many there are.
    """

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
        control: the control.
        policies: names of the policies that answer it, sorted.
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
    """How one framework stands.

    Attributes:
        framework: its key.
        controls: its controls, sorted.
    """

    framework: str
    controls: tuple[ControlScore, ...]

    @property
    def share(self) -> Share:
        """The controls that hold, among those that apply, each counted once a stack."""
        shares = [control.share for control in self.controls]
        return Share(sum(share.holds for share in shares), sum(share.of for share in shares))

    def counts(self) -> Mapping[Status, int]:
        """Return the number of controls by status, each counted once a stack."""
        found: Counter[Status] = Counter()
        for control in self.controls:
            found.update(control.stacks)
        return {status: found[status] for status in WORST_FIRST}


@dataclass(frozen=True, slots=True)
class PolicyScore:
    """How one policy stands over all stacks.

    Attributes:
        policy: its name.
        pack: name of its pack.
        status: the worst on any stack.
        kind: `resource`, `stack`, or empty.
        passed: number of checks without a finding.
        failed: number of checks with one.
        not_applicable: number of resources to which it does not apply.
        findings: number of findings.
        affected: number of stacks with a finding.
        stacks: number of stacks that were asked.
    """

    policy: str
    pack: str
    status: Status
    kind: str
    passed: int
    failed: int
    not_applicable: int
    findings: int
    affected: int
    stacks: int

    @property
    def share(self) -> Share:
        """The checks without a finding."""
        return Share(self.passed, self.passed + self.failed)


@dataclass(frozen=True, slots=True)
class Score:
    """Every figure of a verdict file.

    Attributes:
        frameworks: sorted by key; empty when no policy names a control.
        policies: sorted by pack and name.
        checks: all checks of all policies.
    """

    frameworks: tuple[FrameworkScore, ...]
    policies: tuple[PolicyScore, ...]
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


def _policy_score(statuses: list[PolicyStatus]) -> PolicyScore:
    first = statuses[0]
    return PolicyScore(
        policy=first.policy,
        pack=first.pack,
        status=worst(one.status for one in statuses),
        kind=next((one.kind for one in statuses if one.kind), ""),
        passed=sum(one.passed for one in statuses),
        failed=sum(one.failed for one in statuses),
        not_applicable=sum(one.not_applicable for one in statuses),
        findings=sum(one.findings for one in statuses),
        affected=sum(one.findings > 0 for one in statuses),
        stacks=len(statuses),
    )


def _frameworks(
    verdicts: VerdictFile, per_stack: Iterable[tuple[PolicyStatus, ...]]
) -> tuple[FrameworkScore, ...]:
    answered: defaultdict[Control, set[tuple[str, str]]] = defaultdict(set)
    for info in verdicts.policies:
        for control in info.controls:
            answered[control].add((info.pack, info.policy))
    stacks: defaultdict[Control, Counter[Status]] = defaultdict(Counter)
    for statuses in per_stack:
        words: Mapping[Key, Status] = {(one.pack, one.policy): one.status for one in statuses}
        for control, keys in answered.items():
            mine: list[Status] = [words[key] for key in keys if key in words]
            if mine:
                stacks[control][worst(mine)] += 1
    grouped: defaultdict[str, list[ControlScore]] = defaultdict(list)
    for control in sorted(stacks, key=control_order):
        names = tuple(sorted({policy for _, policy in answered[control]}))
        grouped[control.framework].append(ControlScore(control, names, dict(stacks[control])))
    return tuple(FrameworkScore(name, tuple(grouped[name])) for name in sorted(grouped))
