from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from tapgate.reports.entry import Waiver, waiver_of
from tests.tapgate.reports import realistic
from tests.tapgate.reports.strategies import findings

if TYPE_CHECKING:
    from tapgate.findings import Finding

(WAIVED,) = realistic.findings("iam-no-wildcards")


def test_the_words_of_a_waiver_are_found() -> None:
    assert waiver_of(WAIVED) == Waiver(
        "AWS does not scope X-Ray writes to resources.", "platform@example.com", "2026-12-15"
    )


def test_other_words_for_the_same_are_found_and_missing_ones_are_empty() -> None:
    other = replace(WAIVED, more={"Justification": "because", "UNTIL": "2027-01-01"})
    assert waiver_of(other) == Waiver("because", "", "2027-01-01")


def test_only_a_waived_finding_has_a_waiver() -> None:
    assert waiver_of(replace(WAIVED, verdict="violation")) is None


@pytest.mark.parametrize(
    ("expires", "days", "words"),
    [
        ("2026-12-15", 22, "22 days left"),
        ("2026-11-24", 1, "1 day left"),
        ("2026-11-23", 0, "expires today"),
        ("2026-11-22", -1, "expired 1 day ago"),
        ("2025-11-23", -365, "expired 365 days ago"),
        ("next spring", None, ""),
        ("", None, ""),
    ],
)
def test_the_time_that_is_left(expires: str, days: int | None, words: str) -> None:
    waiver = Waiver("", "", expires)
    assert waiver.days_left(date(2026, 11, 23)) == days
    assert waiver.remaining(date(2026, 11, 23)) == words
    assert waiver.remaining(None) == ""


@given(findings)
def test_any_finding_can_be_asked(finding: Finding) -> None:
    waiver = waiver_of(finding)
    assert (waiver is None) == (finding.verdict != "waived")
    if waiver is not None:
        waiver.remaining(date(2026, 11, 23))
