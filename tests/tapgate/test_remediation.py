from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.events import changes

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {"on": True}, ("on is now true (was not set)",)),
        ({"on": False, "n": 1}, {"on": True, "n": 2}, ("on is now true (was false)", "n is now 2 (was 1)")),
        ({"mode": "a" * 90}, {"mode": "b"}, (f'mode is now "b" (was "{"a" * 58}…)',)),
        ({}, {"a": {"b": 1}}, ("a.b is now 1 (was not set)",)),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}, 3]}, ("a[0].b is now 2 (was 1)", "a[1] is now 3 (was not set)")),
        ({"a": 1}, {}, ("a is now not set (was 1)",)),
        ({"a": 1}, {"a": SECRET}, ("a is now a secret value",)),
        ({"a": SECRET}, {"a": SECRET}, ("something that is not shown",)),
    ],
)
def test_what_changed_is_said(
    before: dict[str, object], after: dict[str, object], said: tuple[str, ...]
) -> None:
    assert changes(before, after) == said


@given(st.dictionaries(st.text(), TREES), st.dictionaries(st.text(), TREES))
def test_something_is_always_said(before: dict[str, object], after: dict[str, object]) -> None:
    assert changes(before, after)
