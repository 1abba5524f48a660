from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given

from tapgate.reports.entry import Identity, identified
from tapgate.reports.score import Share
from tapgate.reports.trend import Trend, compare
from tapgate.reports.verdict_file import VerdictFile
from tests.tapgate.reports import realistic
from tests.tapgate.reports.strategies import reports, unhurried, verdict_files

if TYPE_CHECKING:
    from tapgate.findings import Finding, Report

(ROTATION,) = realistic.findings("kms-key-rotation")
RETENTION = realistic.findings("log-group-retention")


def verdicts(*stacks: Report) -> VerdictFile:
    return VerdictFile.of("audit", stacks)


def trend(before: list[Finding], now: list[Finding]) -> Trend:
    return compare(verdicts(realistic.report(before)), verdicts(realistic.report(now)))


def of(found: tuple[tuple[Identity, Finding], ...]) -> list[Finding]:
    return [finding for _, finding in found]


def test_what_is_new_and_what_is_gone() -> None:
    change = trend([ROTATION, RETENTION[0]], [ROTATION, RETENTION[1]])
    assert of(change.new) == [RETENTION[1]]
    assert of(change.gone) == [RETENTION[0]]
    assert change.changed == ()


def test_other_words_or_another_line_are_the_same_finding() -> None:
    moved = replace(
        ROTATION, summary="Said otherwise.", location=None, found="nothing", fix="", severity="low"
    )
    change = trend([ROTATION], [moved])
    assert (change.new, change.gone, change.changed) == ((), (), ())


def test_another_property_is_another_finding() -> None:
    change = trend([ROTATION], [replace(ROTATION, property_path="rotationPeriodInDays")])
    assert len(change.new) == len(change.gone) == 1


def test_alike_findings_are_counted() -> None:
    change = trend([ROTATION], [ROTATION, ROTATION])
    assert [identity.number for identity, _ in change.new] == [2]


def test_a_finding_that_was_waived_meanwhile_has_changed() -> None:
    waived = replace(ROTATION, verdict="waived", level="advisory")
    change = trend([ROTATION], [waived])
    assert [(before, now) for _, before, now in change.changed] == [(ROTATION, waived)]


def test_stacks_of_one_side_are_named_and_not_counted_as_progress() -> None:
    blocked, quiet = realistic.report([ROTATION]), realistic.report([], "tap", "dev")
    change = compare(verdicts(blocked, quiet), verdicts(quiet, replace(blocked, project="new")))
    assert (change.new, change.gone) == ((), ())
    assert change.stacks_added == (("new", "prod"),)
    assert change.stacks_left == (("tap", "prod"),)


def test_figures_and_shares_before_and_now() -> None:
    change = compare(realistic.earlier_audit(), realistic.audit())
    figures = {one.name: (one.before, one.now) for one in change.figures}
    assert figures == {
        "Blocking violations": (5, 21),
        "Undecided": (1, 1),
        "Advisory": (0, 3),
        "Waived": (2, 3),
        "Stacks that could not be audited": (0, 1),
        "Stacks with a verdict": (5, 6),
    }
    assert [one.name for one in change.shares][:2] == ["", "aws-fsbp"]
    assert change.since == "2026-10-26T06:00:00+00:00"


def test_a_framework_that_is_new_had_nothing_before() -> None:
    now = realistic.blocked()
    shares = compare(replace(now, policies=()), now).shares
    assert shares[1].before == Share(0, 0)


@unhurried
@given(verdict_files, verdict_files)
def test_a_comparison_the_other_way_round_is_the_mirror_image(one: VerdictFile, other: VerdictFile) -> None:
    there, back = compare(one, other), compare(other, one)
    assert {identity for identity, _ in there.new} == {identity for identity, _ in back.gone}
    assert there.stacks_added == back.stacks_left
    assert len(there.changed) == len(back.changed)
    assert compare(one, one).new == compare(one, one).changed == ()


@unhurried
@given(reports)
def test_identities_are_unique_in_a_stack(report: Report) -> None:
    found = [identity for identity, _ in identified(report)]
    assert len({identity.fingerprint for identity in found}) == len(found) == len(report.findings)
