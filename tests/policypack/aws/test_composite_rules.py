"""The rules of composite alarms."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_guardrails.aws.alarms.composite import goes_off_with, parse_rule
from tap_guardrails.aws.alarms.syntax import ExpressionError


@pytest.mark.parametrize(
    ("rule", "goes_off"),
    [
        ('ALARM("mine")', True),
        ("ALARM(mine)", True),
        ("ALARM('mine') OR ALARM(other)", True),
        ("ALARM(mine) AND ALARM(other)", False),
        ("ALARM(mine) AND NOT ALARM(other)", True),
        ("ALARM(mine) AND OK(other)", True),
        ("ALARM(mine) AND (ALARM(other) OR NOT ALARM(third))", True),
        ("NOT ALARM(mine)", False),
        ("OK(mine)", False),
        ("NOT OK(mine)", True),
        ("INSUFFICIENT_DATA(mine)", False),
        ("TRUE", False),
        ("TRUE AND ALARM(mine)", True),
        ("FALSE OR ALARM(mine)", True),
        ("ALARM(mine) AND FALSE", False),
        ("ALARM(mine) OR TRUE", False),
        ("AT_LEAST(1, ALARM, (mine, other))", True),
        ("AT_LEAST(2, ALARM, (mine, other, third))", False),
        ('AT_LEAST("50%", ALARM, ("mine", "other"))', True),
        ("AT_LEAST(51%, ALARM, (mine, other))", False),
        ("AT_LEAST(1, NOT OK, (mine, other))", True),
        ("AT_LEAST(1, OK, (mine, other))", False),
        ("AT_LEAST(2, NOT ALARM, (mine, other))", False),
        ("ALARM(other) OR AT_LEAST(1, ALARM, (mine))", True),
    ],
)
def test_a_rule_goes_off_with_an_alarm(rule: str, *, goes_off: bool) -> None:
    assert goes_off_with(rule, lambda name: name == "mine") is goes_off


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "mine",
        "ALARM",
        "ALARM(",
        "ALARM(mine",
        "ALARM(mine) ALARM(other)",
        "(ALARM(mine)",
        '"',
        "AT_LEAST(2 ALARM)",
        "AT_LEAST(two, ALARM, (a, b))",
        "AT_LEAST(1, ALARM, ())",
        "AT_LEAST(1, ALARM, (a, b)",
        "AT_LEAST(1, BAD, (a))",
        "NOT " * 60 + "TRUE",
    ],
)
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(ExpressionError):
        goes_off_with(rule, lambda _: True)


def test_the_names_in_a_rule() -> None:
    assert parse_rule('ALARM("a b") OR (OK(c) AND NOT ALARM(arn:aws:cloudwatch:eu-west-2:1:alarm:d))')[1] == [
        "a b",
        "c",
        "arn:aws:cloudwatch:eu-west-2:1:alarm:d",
    ]


WORDS = ["AT_LEAST", "1", ",", "ALARM", "(", ")", "OR", "AND", "NOT", "TRUE", '"a"', "OK"]


@given(st.text(max_size=100) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_text_is_read_or_refused(rule: str) -> None:
    with suppress(ExpressionError):
        goes_off_with(rule, lambda _: True)
