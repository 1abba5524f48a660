from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tapgate.findings import CouldNotRunError
from tapgate.reports.controls import PolicyInfo
from tapgate.reports.entry import (
    count,
    headline,
    instant,
    outcome_word,
    resource,
    source_of,
    subject,
    time_text,
)
from tapgate.reports.verdict_file import Unaudited, VerdictFile
from tests.tapgate.reports import realistic

if TYPE_CHECKING:
    from tapgate.findings import Report

(FINDING,) = realistic.findings("kms-key-rotation")
BLOCKED = realistic.report([FINDING])
PASSED = realistic.report([], "tap", "dev")
LOST = Unaudited("x", "It is empty.")


def test_the_reason_of_a_failure_is_kept() -> None:
    failure = CouldNotRunError("what", where="where", why="why", fix="fix", details=("one", "two"))
    assert Unaudited.because("x", failure) == Unaudited("x", "what", "where", "why", "fix", ("one", "two"))


def test_of_several_descriptions_of_a_policy_the_first_counts() -> None:
    first, second, other = PolicyInfo("p", "q", "first"), PolicyInfo("p", "q", "second"), PolicyInfo("p", "a")
    verdicts = VerdictFile.of("preview", [], policies=[first, second, other])
    assert verdicts.policies == (other, first)
    assert verdicts.known_policies == {("q", "p"): first, ("a", "p"): other}


def test_the_time_is_kept_in_utc() -> None:
    made = datetime(2026, 11, 24, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    verdicts = VerdictFile.of("preview", [], made=made)
    assert verdicts.made == "2026-11-23T22:30:00+00:00"
    assert instant(verdicts.made) == made
    assert time_text(verdicts.made) == "23 November 2026, 22:30 UTC"


@pytest.mark.parametrize("made", ["", "soon", "2026-11-23T22:30:00", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_time_stays_as_it_is(made: str) -> None:
    assert instant(made) is None
    assert time_text(made) == made


@pytest.mark.parametrize(
    ("kind", "stacks", "unaudited", "outcome", "sentence"),
    [
        ("preview", [PASSED], [], "Passed", "No finding stops the deployment."),
        ("preview", [BLOCKED], [], "Blocked", "1 finding stops the deployment."),
        ("audit", [BLOCKED], [], "Blocked", "1 finding stops this stack from meeting the policies."),
        ("audit", [PASSED], [], "Passed", "No finding stops this stack from meeting the policies."),
        ("audit", [BLOCKED, PASSED], [], "Blocked", "1 of 2 stacks has 1 blocking finding."),
        (
            "audit",
            [PASSED, PASSED],
            [],
            "Passed",
            "No mandatory policy is violated on the 2 stacks evaluated.",
        ),
        (
            "audit",
            [BLOCKED, BLOCKED],
            [LOST],
            "Incomplete",
            "1 stack could not be audited; 2 of 2 stacks have 2 blocking findings.",
        ),
        ("audit", [], [LOST], "Incomplete", "1 stack could not be audited; nothing else was evaluated."),
        ("audit", [], [], "Incomplete", "No stack was evaluated."),
    ],
)
def test_the_outcome_in_words(
    kind: str, stacks: list[Report], unaudited: list[Unaudited], outcome: str, sentence: str
) -> None:
    verdicts = VerdictFile.of("audit" if kind == "audit" else "preview", stacks, unaudited=unaudited)
    assert (outcome_word(verdicts), headline(verdicts)) == (outcome, sentence)


def test_the_subject_is_the_stack_or_how_many() -> None:
    assert subject(VerdictFile.of("audit", [PASSED])) == "tap / dev"
    assert subject(VerdictFile.of("audit", [PASSED], unaudited=[LOST])) == "2 stacks"
    assert count(1, "entry", "entries") == "1 entry"
    assert count(1234, "entry", "entries") == "1,234 entries"


def test_a_finding_on_no_resource_is_about_the_stack() -> None:
    assert resource(FINDING) == "tap-data-key"
    assert resource(replace(FINDING, name="")) == "the stack as a whole"
    assert resource(replace(FINDING, type="pulumi:pulumi:Stack")) == "the stack as a whole"
    assert source_of(FINDING) == "Pulumi.yaml:24"
    assert source_of(replace(FINDING, location=None)) == ""
