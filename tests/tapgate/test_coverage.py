"""What looked at each resource."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tapgate.assemble import coverage_text, covered, require_evaluated
from tapgate.events import EventLog, PolicySummary
from tapgate.findings import CouldNotRunError, Report

A, B, STACK = (f"urn:pulumi:s::p::{kind}::n" for kind in ("t:a:A", "t:b:B", "pulumi:pulumi:Stack"))
REPORT = Report("p", "s", (), (), (), 1, (), {}, 1.0)


def log(**coverage: dict[str, str]) -> EventLog:
    found = EventLog(
        declared={A: "t:a:A", B: "t:b:B", STACK: "pulumi:pulumi:Stack"}, result="succeeded", coverage=coverage
    )
    for pack in {*coverage, "silent"}:
        found.packs[f"{pack}|local|/{pack}"] = "1"
        found.analyzed += [PolicySummary(urn, pack, (), ()) for urn in (A, B, STACK)]
        found.stack_analyzed.append(PolicySummary("", pack, ("waivers",), ()))
    return found


def test_of_several_packs_the_one_that_looked_closest_counts() -> None:
    found = log(one={A: "tags", B: "none"}, two={A: "none", B: "control"})
    assert covered(found) == {A: "tags", B: "control"}


def test_of_a_pack_that_does_not_tell_a_policy_that_applies_is_a_control() -> None:
    found = log()
    assert covered(found) == {A: "none", B: "none"}
    found.analyzed.append(PolicySummary(A, "silent", ("p",), ()))
    assert covered(found) == {A: "control", B: "none"}


@pytest.mark.parametrize(
    ("coverage", "words"),
    [
        ({}, ""),
        ({A: "control"}, "1 resource by a control"),
        ({A: "tags", B: "none"}, "0 resources by a control, 1 by tags alone (t:a:A), 1 by no policy (t:b:B)"),
    ],
)
def test_words(coverage: dict[str, str], words: str) -> None:
    assert coverage_text([replace(REPORT, coverage=coverage)]) == words


def test_many_types_are_counted() -> None:
    coverage = {f"urn:pulumi:s::p::t:x:X{n}::n": "none" for n in range(9)}
    assert coverage_text([replace(REPORT, coverage=coverage)]).endswith("t:x:X3, 5 more types)")


@pytest.mark.parametrize("coverage", [{}, {A: "tags", B: "none"}])
def test_a_pass_needs_a_control_that_looked_at_a_resource(coverage: dict[str, str]) -> None:
    found = log(one=coverage)
    with pytest.raises(CouldNotRunError, match="No control looked at any resource"):
        require_evaluated(found, (), allow_empty=False)
    require_evaluated(found, (), allow_empty=True)
