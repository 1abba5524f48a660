from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from tapgate.findings import Pack, PolicyTally
from tapgate.reports.controls import PolicyInfo
from tapgate.reports.entry import CATEGORIES, category_of, counts
from tapgate.reports.score import Share, Status, policy_statuses, score, worst
from tapgate.reports.verdict_file import VerdictFile
from tests.tapgate.reports import realistic
from tests.tapgate.reports.strategies import unhurried, verdict_files

if TYPE_CHECKING:
    from tapgate.findings import Verdict

(FINDING,) = realistic.findings("kms-key-rotation")
EMPTY = replace(
    realistic.report([]), tallies=(), packs=(Pack(realistic.PACK, "1", ""),), project="tap", stack="a"
)


def tally(passed: int = 0, failed: int = 0, *, disabled: bool = False, policy: str = "p") -> PolicyTally:
    return PolicyTally(policy, realistic.PACK, "resource", passed, failed, 3, disabled=disabled)


@pytest.mark.parametrize(
    ("verdict", "level", "category", "status"),
    [
        ("violation", "mandatory", "violation", "failed"),
        ("violation", "advisory", "advisory", "failed"),
        ("violation", "", "violation", "failed"),
        ("undecided", "mandatory", "undecided", "undecided"),
        ("undecided", "advisory", "undecided", "undecided"),
        ("error", "mandatory", "undecided", "undecided"),
        ("waived", "advisory", "waived", "waived"),
        ("waived", "mandatory", "violation", "waived"),
    ],
)
def test_each_finding_has_a_sort_and_a_standing(
    verdict: Verdict, level: str, category: str, status: Status
) -> None:
    finding = replace(FINDING, verdict=verdict, level=level)
    assert category_of(finding) == category
    report = replace(EMPTY, findings=(finding,), tallies=(tally(9, policy=finding.policy),))
    (one,) = policy_statuses(report)
    assert (one.status, one.findings, one.passed) == (status, 1, 9)
    assert counts([finding]) == {name: int(name == category) for name in CATEGORIES}


@pytest.mark.parametrize(
    ("tallies", "status"),
    [
        ([tally(passed=1)], "met"),
        ([tally()], "not applicable"),
        ([tally(disabled=True)], "off"),
        ([tally(passed=1), tally(disabled=True)], "off"),
        ([tally(passed=5, failed=1)], "failed"),
    ],
)
def test_without_a_finding_the_counts_decide(tallies: list[PolicyTally], status: Status) -> None:
    (one,) = policy_statuses(replace(EMPTY, tallies=tuple(tallies)))
    assert one.status == status
    assert one.not_applicable == 3 * len(tallies)


def test_a_policy_that_the_engine_does_not_mention_had_nothing_to_judge() -> None:
    (one,) = policy_statuses(EMPTY, [(realistic.PACK, "p"), ("another pack", "q")])
    assert (one.policy, one.status, one.kind) == ("p", "not applicable", "")


def test_the_worst_of_several() -> None:
    assert worst(["met", "not applicable"]) == "met"
    assert worst(["met", "off", "waived", "undecided"]) == "undecided"
    assert worst(["undecided", "failed"]) == "failed"
    assert worst([]) == "off"


def test_a_control_holds_only_when_all_its_policies_do() -> None:
    infos = [PolicyInfo(name, realistic.PACK, tags=("nist:AC-1", f"nist:AC-{name}2")) for name in "pq"]
    report = replace(EMPTY, tallies=(tally(4), tally(3, 1, policy="q")))
    (framework,) = score(VerdictFile.of("preview", [report], policies=infos)).frameworks
    assert [(one.control.identifier, one.status, one.policies) for one in framework.controls] == [
        ("AC-1", "failed", ("p", "q")),
        ("AC-p2", "met", ("p",)),
        ("AC-q2", "failed", ("q",)),
    ]
    assert framework.share == Share(1, 3)
    assert framework.counts()["failed"] == 2


def test_over_several_stacks_each_counts() -> None:
    info = PolicyInfo("p", realistic.PACK, tags=("nist:AC-1",))
    stacks = [
        replace(EMPTY, stack="a", tallies=(tally(4),)),
        replace(EMPTY, stack="b", tallies=(tally(2, 1),)),
        replace(EMPTY, stack="c", tallies=(tally(),)),
        replace(EMPTY, stack="d", packs=(Pack("another", "1", ""),)),
    ]
    figures = score(VerdictFile.of("audit", stacks, policies=[info]))
    (framework,) = figures.frameworks
    (control,) = framework.controls
    assert control.stacks == {"met": 1, "failed": 1, "not applicable": 1}
    assert control.share == framework.share == Share(1, 2)
    (policy,) = figures.policies
    assert (policy.stacks, policy.affected, policy.share) == (3, 0, Share(6, 7))
    assert figures.checks == Share(6, 7)


def test_what_is_not_applicable_counts_in_no_percentage() -> None:
    info = PolicyInfo("p", realistic.PACK, tags=("nist:AC-1",))
    (framework,) = score(VerdictFile.of("preview", [EMPTY], policies=[info])).frameworks
    assert framework.share.percent is None


def test_percentages_are_rounded_down() -> None:
    assert Share(999, 1000).percent == 99
    assert Share(1000, 1000).percent == 100
    assert Share(0, 0).percent is None


def test_without_metadata_there_are_policies_and_no_frameworks() -> None:
    figures = score(VerdictFile.of("preview", realistic.blocked().stacks))
    assert figures.frameworks == ()
    assert len(figures.policies) == 21


@unhurried
@given(verdict_files)
def test_figures_agree_with_each_other(verdicts: VerdictFile) -> None:
    figures = score(verdicts)
    for framework in figures.frameworks:
        assert 0 <= framework.share.holds <= framework.share.of
        assert sum(framework.counts().values()) == framework.share.of + framework.counts()["not applicable"]
        for control in framework.controls:
            assert (control.status == "met") == (
                control.share.holds == control.share.of > 0
                and control.stacks.keys() <= {"met", "not applicable"}
            )
    for policy in figures.policies:
        assert policy.affected <= policy.stacks <= len(verdicts.stacks)
    findings = sum(len(report.findings) for report in verdicts.stacks)
    assert sum(policy.findings for policy in figures.policies) == findings
