"""One verdict of two."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tapgate.analyzer.deployment import MARK
from tapgate.findings import Finding, Report
from tapgate.rehearsal import settled

if TYPE_CHECKING:
    from tapgate.findings import Verdict

A, B = "urn:pulumi:s::p::t::a", "urn:pulumi:s::p::t::b"


def finding(
    verdict: Verdict, urn: str = A, *, policy: str = "p", path: str = "x", found: str = ""
) -> Finding:
    return Finding(
        policy, "pack", "mandatory", "high", verdict, urn, "t", "a", path, "Wrong.", found, "r", "w", "f"
    )


def report(*findings: Finding, notes: tuple[str, ...] = (), changes: int = 0) -> Report:
    return Report("p", "s", (), findings, (), 1, notes, (("create", changes),), 1.0)


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        ([finding("undecided")], [], []),
        ([finding("undecided")], [finding("violation")], ["violation"]),
        ([finding("undecided")], [finding("undecided")], ["undecided"]),
        ([finding("undecided", B)], [], ["undecided"]),
        ([finding("violation")], [], ["violation"]),
        ([finding("violation")], [finding("violation", found="otherwise worded")], ["violation"]),
        ([finding("violation", path="y")], [finding("violation")], ["violation", "violation"]),
        ([finding("violation", policy="q")], [finding("violation")], ["violation", "violation"]),
        ([finding("error")], [], ["error"]),
        ([], [finding("violation", B)], ["violation"]),
        ([finding("waived")], [finding("waived")], ["waived"]),
        ([finding("violation", found=f'"ami-{MARK}12"')], [], []),
        ([finding("violation", B, found=f'"ami-{MARK}12"')], [], ["violation"]),
    ],
)
def test_what_the_second_settles(first: list[Finding], second: list[Finding], left: list[str]) -> None:
    result = settled(report(*first), report(*second), {A})
    assert [one.verdict for one in result.findings] == left


def test_changes_come_from_the_first_and_notes_from_both_once() -> None:
    result = settled(report(notes=("a", "b"), changes=3), replace(report(notes=("b", "c")), resources=7), {A})
    assert (result.changes, result.notes, result.resources) == ((("create", 3),), ("a", "b", "c"), 7)


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        ([], [finding("violation")], []),
        ([], [finding("violation", B)], ["violation"]),
        ([], [finding("violation", policy="q")], ["violation"]),
        ([finding("undecided")], [finding("violation")], ["violation"]),
        ([finding("violation")], [], ["violation"]),
    ],
)
def test_what_was_remediated_for_the_first_alone(
    first: list[Finding], second: list[Finding], left: list[str]
) -> None:
    result = settled(report(*first), report(*second), {A}, {("pack", "p", A)})
    assert [one.verdict for one in result.findings] == left
