from __future__ import annotations

import dataclasses
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.findings import CouldNotRunError, Finding, Location, Pack, PolicyTally, Report
from tapgate.terminal import Ink, failure_lines, finding_lines, report_lines, write

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN = Ink(colour=False, unicode=True)
FINDING = Finding(
    policy="kms-key-rotation",
    pack="tap-guardrails",
    level="mandatory",
    severity="high",
    verdict="violation",
    urn="urn:pulumi:dev::tap::aws:kms/key:Key::tap-key",
    type="aws:kms/key:Key",
    name="tap-key",
    property_path="enableKeyRotation",
    summary="Key rotation is off.",
    found="false",
    required="true",
    why="Old keys leak.",
    fix="Set it to true.",
    location=Location("program/kms.py", 12, through="tap"),
    more={"Owner": "me"},
)
ADVICE = dataclasses.replace(
    FINDING,
    policy="tags",
    level="advisory",
    severity="",
    verdict="undecided",
    location=None,
    why="",
    description="Tag.",
)
REPORT = Report(
    project="tap",
    stack="dev",
    packs=(Pack("tap-guardrails", "1.0.0", "policypack"),),
    findings=(FINDING, ADVICE),
    tallies=(
        PolicyTally("kms-key-rotation", "tap-guardrails", "resource", 1, 1, 3),
        PolicyTally("tags", "tap-guardrails", "resource", 4, 1, 0),
        PolicyTally("dlq", "tap-guardrails", "resource", 0, 0, 5),
        PolicyTally("off", "tap-guardrails", "resource", 0, 0, 0, disabled=True),
        PolicyTally("alarms", "tap-guardrails", "stack", 1, 0, 0),
        PolicyTally("logs", "tap-guardrails", "resource", 1, 0, 4),
        PolicyTally("keys", "tap-guardrails", "resource", 1234, 0, 4),
    ),
    resources=5,
    notes=("stand-in AWS provider",),
    changes={"create": 5, "same": 2},
    seconds=3.14,
)


def test_a_blocked_report() -> None:
    assert list(report_lines(REPORT, PLAIN)) == [
        "  stack     tap / dev",
        "  pack      tap-guardrails 1.0.0  policypack",
        "  planned   5 to create",
        "  note      stand-in AWS provider",
        "",
        "  ✗ kms-key-rotation  1 blocking finding",
        "  ! tags              1 advisory",
        "  - dlq               not applicable",
        "  ! off               turned off by the pack's config file",
        "  ✓ alarms            stack",
        "  ✓ logs              1 resource",
        "  ✓ keys              1,234 resources",
        "",
        "BLOCKED  kms-key-rotation (high)",
        "  Key rotation is off.",
        "  resource  tap-key (aws:kms/key:Key)",
        "  property  enableKeyRotation",
        "  found     false",
        "  required  true",
        "  why       Old keys leak.",
        "  fix       Set it to true.",
        "  owner     me",
        "  program   program/kms.py:12 (in component tap)",
        "",
        "ADVISORY  tags [undecided]",
        "  Key rotation is off.",
        "  resource  tap-key (aws:kms/key:Key)",
        "  property  enableKeyRotation",
        "  found     false",
        "  required  true",
        "  why       Tag.",
        "  fix       Set it to true.",
        "  owner     me",
        "",
        "BLOCKED BY POLICY  6 policies, 5 resources, 1 blocking finding, 1 advisory, 1 undecided, 3.1 s",
    ]


def test_a_passed_report() -> None:
    passed = dataclasses.replace(REPORT, findings=(), tallies=(), changes={"same": 3}, notes=())
    lines = list(report_lines(passed, PLAIN))
    assert "  planned   no change" in lines
    assert lines[-1] == "PASSED  0 policies, 5 resources, 0 blocking findings, 0 advisories, 3.1 s"


def test_a_waived_finding_is_told_apart_from_advice() -> None:
    terms = {"Reason": "Spring.", "Owner": "me", "Expires": "2027-01-31"}
    waived = dataclasses.replace(FINDING, level="advisory", verdict="waived", location=None, more=terms)
    report = dataclasses.replace(
        REPORT, findings=(waived, dataclasses.replace(ADVICE, policy=FINDING.policy))
    )
    lines = list(report_lines(report, PLAIN))
    assert "  ! kms-key-rotation  1 advisory, 1 waived" in lines
    assert "WAIVED  kms-key-rotation (high)" in lines
    assert lines[21:24] == ["  reason    Spring.", "  owner     me", "  expires   2027-01-31"]
    assert lines[-1].startswith(
        "PASSED  6 policies, 5 resources, 0 blocking findings, 1 advisory, 1 waived, 1 undec"
    )
    stuck = dataclasses.replace(waived, level="mandatory")
    assert next(finding_lines(stuck, PLAIN)) == "BLOCKED  kms-key-rotation (high) [waived]"


def test_a_failure_has_the_form_of_every_message() -> None:
    failure = CouldNotRunError("It broke.", where="here", why="so", fix="do", details=("a\tb", "c\x1b"))
    assert list(failure_lines(failure, PLAIN)) == [
        "COULD NOT RUN  It broke.",
        "  where     here",
        "  why       so",
        "  fix       do",
        "    | a\tb",
        "    | c\\x1b",
    ]


EVIL = st.text().map(lambda text: f"{text}\x1b[2J\r\n\x9b2J\u202e")


@given(EVIL, EVIL, EVIL)
def test_no_name_reaches_the_terminal_as_control(name: str, summary: str, more: str) -> None:
    finding = dataclasses.replace(
        FINDING,
        name=name,
        type=name,
        policy=name,
        summary=summary,
        found=more,
        more={more: more},
        severity=more,
    )
    report = dataclasses.replace(REPORT, findings=(finding,), stack=name, notes=(summary,))
    for line in report_lines(report, PLAIN):
        assert not set(line) & {"\x1b", "\r", "\n", "\x9b", "\u202e"}
    assert sum(line.startswith("BLOCKED") for line in finding_lines(finding, PLAIN)) == 1


def test_marks_have_an_ascii_form() -> None:
    lines = list(report_lines(REPORT, Ink(colour=False, unicode=False)))
    assert all(line.isascii() for line in lines)
    assert "  XX kms-key-rotation  1 blocking finding" in lines


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with Terminal(io.BytesIO(), encoding="utf-8") as stream:
        yield stream


def test_colour_is_for_terminals(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Ink.for_stream(terminal) == Ink(colour=True, unicode=True)
    assert not Ink.for_stream(io.StringIO()).colour
    monkeypatch.setenv("TERM", "dumb")
    assert not Ink.for_stream(terminal).colour
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Ink.for_stream(terminal).colour


def test_colours_surround_words_and_are_closed() -> None:
    ink = Ink(colour=True, unicode=True)
    assert ink.paint("x", "red", "bold") == "\x1b[31;1mx\x1b[0m"
    assert ink.paint("", "red") == ""
    lines = list(report_lines(REPORT, ink))
    assert all(line.count("\x1b[0m") * 2 == line.count("\x1b[") for line in lines)


def test_what_an_encoding_cannot_show_is_escaped() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    write(["✓ ok"], stream)
    assert raw.getvalue() == b"\\u2713 ok\n"
