"""Versions: everything that `pulumi version` may print, and the order of versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.embedded.toolchain.search import MINIMUM, Version

NUMBERS = st.integers(min_value=0, max_value=999_999_999)
PRE_RELEASES = st.from_regex(r"(alpha|beta|rc)\.[1-9][0-9]{0,9}", fullmatch=True)
VERSIONS = st.builds(Version, NUMBERS, NUMBERS, NUMBERS, st.just("") | PRE_RELEASES)


@given(VERSIONS, st.sampled_from(["", "v"]), st.sampled_from(["", "+42435656", "+dirty.1"]))
def test_a_printed_version_is_read_back(version: Version, prefix: str, build: str) -> None:
    assert Version.parse(f"{prefix}{version}{build}\n") == version


@given(st.text())
def test_any_other_text_is_no_version_and_no_error(text: str) -> None:
    version = Version.parse(text)
    assert version is None or Version.parse(str(version)) == version


@pytest.mark.parametrize(
    "text", ["", "3.259", "v3.259.0.1", "3.01.0", "\u0663.2.1", "error: no such command", "v3.x.0"]
)
def test_what_is_not_a_version(text: str) -> None:
    assert Version.parse(text) is None


@given(VERSIONS, VERSIONS)
def test_of_two_versions_one_is_at_least_the_other(one: Version, other: Version) -> None:
    assert one.at_least(other) or other.at_least(one)
    if not one.pre and not other.pre:
        numbers = [(v.major, v.minor, v.patch) for v in (one, other)]
        assert one.at_least(other) == (numbers[0] >= numbers[1])


@given(NUMBERS, NUMBERS, NUMBERS, PRE_RELEASES)
def test_a_pre_release_comes_before_its_release(major: int, minor: int, patch: int, pre: str) -> None:
    release, early = Version(major, minor, patch), Version(major, minor, patch, pre)
    assert release.at_least(early)
    assert not early.at_least(release)


def test_the_minimum_itself_will_do() -> None:
    assert MINIMUM.at_least(MINIMUM)
