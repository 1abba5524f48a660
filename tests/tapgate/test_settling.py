"""One verdict of two."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tapgate.analyzer.deployment import MARK, SECRET, UNKNOWN, Deployment, Resource
from tapgate.findings import CouldNotRunError, Finding, Report
from tapgate.json_access import SIGNATURE
from tapgate.rehearsal import settled, with_retained
from tapgate.sources import urn_name

if TYPE_CHECKING:
    from tapgate.findings import Verdict

EMPTY = Deployment("p", "s", ())
A, B = "urn:pulumi:s::p::t::a", "urn:pulumi:s::p::t::b"


def finding(
    verdict: Verdict, urn: str = A, *, policy: str = "p", path: str = "x", found: str = ""
) -> Finding:
    return Finding(
        policy, "pack", "mandatory", "high", verdict, urn, "t", "a", path, "Wrong.", found, "r", "w", "f"
    )


def report(*findings: Finding, notes: tuple[str, ...] = (), changes: int = 0) -> Report:
    return Report("p", "s", (), findings, (), 1, notes, {"create": changes}, 1.0)


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


@pytest.mark.parametrize(("path", "left"), [("x", []), ("x[secret]", []), ("y.x", ["violation"])])
def test_of_a_hidden_value_that_stands_in_the_second_decides(path: str, left: list[str]) -> None:
    first = report(finding("violation", path=path, found="[secret]"))
    inputs = {"x": {"inner": [UNKNOWN]}, "y": {"x": "known"}}
    state = replace(EMPTY, resources=(Resource(A, "t", {"inputs": inputs}),))
    result = settled(first, report(), {A}, (), state)
    assert [one.verdict for one in result.findings] == left
    assert [one.verdict for one in settled(first, report(), {A}).findings] == ["violation"]


def test_changes_come_from_the_first_and_notes_from_both_once() -> None:
    result = settled(report(notes=("a", "b"), changes=3), replace(report(notes=("b", "c")), resources=7), {A})
    assert (result.changes, result.notes, result.resources) == ({"create": 3}, ("a", "b", "c"), 7)


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


def step(kind: str, *, kept: bool = True, **state: object) -> dict[str, object]:
    return {"op": kind, "urn": A, "oldState": {"type": "t", "retainOnDelete": kept, **state}}


STAYS: list[tuple[list[object], list[str]]] = [
    ([step("delete")], [A]),
    ([step("delete", kept=False), step("update"), step("same"), {"op": "create", "urn": B}], []),
    ([step("replace"), step("delete-replaced")], [f"{A} (replaced)"]),
    ([step("delete"), step("delete")], [A]),
    (["else", {"op": "delete", "oldState": "none"}], []),
    ([step("delete", kept=False, deletedWith=B), {"op": "delete", "urn": B, "oldState": {"type": "t"}}], [A]),
    ([step("replace", kept=False, deletedWith=B), {"op": "replace", "urn": B}], [f"{A} (replaced)"]),
    ([step("delete", kept=False, deletedWith=B), {"op": "same", "urn": B}], []),
    ([step("same", kept=False, deletedWith=B), {"op": "delete", "urn": B}], []),
    ([step("read", kept=False, custom=True)], [A]),
    ([step("read", kept=False, custom=True, external=True)], []),
    ([step("read-replacement", kept=False, custom=True), step("delete-replaced", kept=False)], []),
    ([{"op": "read", "urn": A}], []),
]


@pytest.mark.parametrize(("steps", "stays"), STAYS)
def test_what_stays_in_aws_is_in_the_state_that_is_evaluated(steps: list[object], stays: list[str]) -> None:
    there = Resource(B, "t", {})
    looked_up = [Resource(A, "t", {"external": True})] if stays and "'read'" in str(steps) else []
    state = replace(EMPTY, resources=(*looked_up, there))
    deployment, notes = with_retained(state, json.dumps({"steps": steps}))
    assert [one.urn for one in deployment.resources] == [B, *stays]
    assert [note.partition(" leaves ")[0] for note in notes] == [f"{urn_name(urn)} (t)" for urn in stays]


@pytest.mark.parametrize(
    "document", ["", "no document", "[]", '{"steps": 3}', '{"sequence": 0}\n{"sequence": 1}']
)
def test_what_is_no_preview_does_not_say_that_nothing_stays(document: str) -> None:
    with pytest.raises(CouldNotRunError, match="preview document cannot be read"):
        with_retained(EMPTY, document)


def test_a_secret_of_what_stays_is_closed_and_not_the_word_for_one() -> None:
    gone = step("delete", inputs={"password": "[secret]", "list": ["a", "[secret]"], "plain": "a"})
    deployment, _ = with_retained(EMPTY, json.dumps({"steps": [gone]}))
    (one,) = deployment.resources
    closed = {SIGNATURE: SECRET}
    assert one.inputs == {"password": closed, "list": ["a", closed], "plain": "a"}
