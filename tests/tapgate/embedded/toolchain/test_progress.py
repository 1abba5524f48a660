"""Signs of life during long work."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.embedded.console import elapsed, say, still_going


def test_long_work_is_told_of_at_every_interval() -> None:
    told: list[str] = []
    twice = threading.Event()

    def tell(words: str) -> None:
        told.append(words)
        if len(told) == 2:
            twice.set()

    with still_going("building", interval_seconds=0.02, tell=tell):
        assert twice.wait(60)
    count = len(told)
    assert told[0] == "building: 0 s so far"
    time.sleep(0.06)
    assert len(told) == count


def test_short_work_is_not() -> None:
    told: list[str] = []
    with still_going("building", tell=told.append):
        pass
    assert told == []


def test_lines_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    say("hello")
    assert capsys.readouterr() == ("", "tapgate: hello\n")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s")]
)
def test_durations(seconds: float, text: str) -> None:
    assert elapsed(seconds) == text


@given(st.floats(min_value=0, max_value=1e6))
def test_a_duration_adds_up(seconds: float) -> None:
    numbers = [int(word) for word in elapsed(seconds).split() if word.isdigit()]
    minutes, rest = numbers if len(numbers) == 2 else [0, *numbers]
    assert minutes * 60 + rest == round(seconds)
    assert rest < 60
