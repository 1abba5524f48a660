"""Versions: everything that `pulumi version` may print, and the order of versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.embedded.toolchain.search import order, version_in

NUMBERS = st.integers(min_value=0, max_value=999_999_999)
RELEASES = st.tuples(NUMBERS, NUMBERS, NUMBERS).map(lambda numbers: ".".join(map(str, numbers)))
PRE_RELEASES = st.from_regex(r"-(alpha|beta|rc)\.[1-9][0-9]{0,9}", fullmatch=True)
VERSIONS = st.builds("".join, st.tuples(RELEASES, st.just("") | PRE_RELEASES))


@given(VERSIONS, st.sampled_from(["", "v"]), st.sampled_from(["", "+42435656", "+dirty.1"]))
def test_a_printed_version_is_read_back(version: str, prefix: str, build: str) -> None:
    assert version_in(f"{prefix}{version}{build}\n") == version


@given(st.text())
def test_any_other_text_is_no_version_and_no_error(text: str) -> None:
    version = version_in(text)
    assert version is None or version_in(version) == version


@pytest.mark.parametrize(
    "text", ["", "3.259", "v3.259.0.1", "3.01.0", "\u0663.2.1", "error: no such command", "v3.x.0"]
)
def test_what_is_not_a_version(text: str) -> None:
    assert version_in(text) is None


def test_versions_are_ordered_by_their_numbers() -> None:
    assert order("3.9.0") < order("3.10.0") < order("10.0.0") == order("10.0.0")
    assert order("3.255.0") < order("3.255.1-alpha.1")


@given(RELEASES, PRE_RELEASES, PRE_RELEASES)
def test_a_pre_release_comes_before_its_release(release: str, early: str, other: str) -> None:
    assert order(release + early) < order(release)
    assert order(release + early) == order(release + other)
