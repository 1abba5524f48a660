"""A policy's settings: what fits is taken, what does not is refused with words."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_guardrails.model import Boolean, Enum, Integer, Settings, SettingsError, StringList

DECLARED = (
    Boolean("flag", default=False, description="A flag.", stricter=True),
    Integer("whole", 7, "A number.", minimum=1, maximum=10, stricter="lower"),
    Enum("choice", "a", "A choice.", ("a", "b")),
    StringList("words", ("x",), "Words."),
    StringList("few", ("x",), "Few words.", choices=("x", "y"), at_least=1),
)


def test_what_is_not_given_is_the_default() -> None:
    for settings in (Settings(DECLARED), Settings(DECLARED, {"whole": None})):
        assert settings.boolean("flag") is False
        assert settings.integer("whole") == 7
        assert settings.enum("choice") == "a"
        assert settings.strings("words") == settings.strings("few") == ("x",)


def test_what_fits_is_taken() -> None:
    given_ = {"flag": True, "whole": 3.0, "choice": "b", "words": [], "few": ["y"]}
    settings = Settings(DECLARED, given_)
    assert settings.boolean("flag") is True
    assert settings.integer("whole") == 3
    assert settings.enum("choice") == "b"
    assert (settings.strings("words"), settings.strings("few")) == ((), ("y",))
    assert settings.key() != Settings(DECLARED).key()
    assert settings.key() == Settings(DECLARED, given_).key()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flag", "true"),
        ("flag", 1),
        ("whole", 0),
        ("whole", 11),
        ("whole", 3.5),
        ("whole", True),
        ("whole", math.nan),
        ("whole", math.inf),
        ("whole", "3"),
        ("choice", "c"),
        ("choice", ["a"]),
        ("words", "x"),
        ("words", [1]),
        ("few", []),
        ("few", ["z"]),
        ("few", ["x", None]),
        ("none", 1),
    ],
)
def test_what_does_not_fit_is_refused(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f"`{name}`"):
        Settings(DECLARED, {name: value})


@given(
    st.dictionaries(
        st.sampled_from(["flag", "whole", "choice", "words", "few", "none"]),
        st.none() | st.booleans() | st.floats() | st.text() | st.lists(st.text()),
    )
)
def test_any_configuration_is_taken_or_refused(given_: dict[str, object]) -> None:
    with suppress(SettingsError):
        assert 1 <= Settings(DECLARED, given_).integer("whole") <= 10
