"""Patterns of URNs: `*` is any characters, everything else is itself, and nothing takes long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_guardrails.waivers.terms import matches, pattern_of

letters = st.text("ab*:", max_size=12)


@given(letters, st.text("ab:", max_size=20))
def test_a_pattern_means_what_the_regular_expression_means(pattern: str, text: str) -> None:
    meaning = ".*".join(map(re.escape, pattern.split("*")))
    assert matches(pattern, text) == (re.fullmatch(meaning, text) is not None)


@pytest.mark.parametrize(
    "pattern",
    [
        "*a" * 8 + "::" + "*a" * 8 + "*b",
        "*" * 5_000 + "::" + "*" * 5_000 + "b",
        "*a*::" + "*aa" * 1_000 + "b*",
        "urn:pulumi:" + "*a" * 50 + "::" + "*a" * 50 + "::*a*a*a::" + "*a" * 50 + "b",
    ],
)
def test_no_pattern_makes_it_hang(pattern: str) -> None:
    read = pattern_of(pattern)
    assert read
    long = "a" * 20_000
    begun = time.perf_counter()
    assert not read.matches(f"urn:pulumi:{long}::{long}::{long}::{long}c")
    assert time.perf_counter() - begun < 1
