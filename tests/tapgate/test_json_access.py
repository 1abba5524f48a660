from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.json_access import sanitized, sanitized_lines, uncoloured


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tap-key", "tap-key"),
        ("Schlüssel ✓", "Schlüssel ✓"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\x1b]8;;http://evil\x1b\\link", "\\x1b]8;;http://evil\\x1b\\link"),
        ("a\nb\rc\x07", "a\\x0ab\\x0dc\\x07"),
        ("\x9b31mred", "\\x9b31mred"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("zero\u200bwidth\u2028line", "zero\\u200bwidth\\u2028line"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_could_deceive_is_made_visible(text: str, shown: str) -> None:
    assert sanitized(text) == shown


@given(st.text())
def test_nothing_hidden_is_left_and_everything_shown_stays(text: str) -> None:
    result = sanitized(text)
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in result)
    assert sanitized(result) == result
    visible = [c for c in text if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}]
    remaining = iter(result)
    assert all(c in remaining for c in visible)


@given(st.text())
def test_kept_characters_are_kept(text: str) -> None:
    assert sanitized(text, keep="\n").count("\n") == text.count("\n")


def test_lines_of_a_coloured_diagnostic() -> None:
    assert uncoloured("\x1b[31mError\x1b[0m: x") == "Error: x"
    assert sanitized_lines("\x1b[31mError\x1b[0m: x\r\n\n  \n\tat\x00 y\n") == ["Error: x", "\tat\\x00 y"]
