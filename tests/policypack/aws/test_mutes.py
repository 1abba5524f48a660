"""The schedules of mute rules: whether one leaves anything out."""

from __future__ import annotations

import pytest

from tap_guardrails.aws.alarms.composite import CRON, leaves_nothing_out, minutes_of


@pytest.mark.parametrize(
    ("schedule", "duration", "always"),
    [
        ("cron(0 0 * * *)", "P1D", True),
        ("cron(0 0 * * *)", "PT24H", True),
        ("cron(0 0 * * *)", "PT23H59M", False),
        ("cron(30 6 ? * *)", "P1DT1H", True),
        ("cron(0 * * * *)", "PT1H", True),
        ("cron(0 * * * *)", "PT59M", False),
        ("cron(*/15 * * * *)", "PT15M", True),
        ("cron(*/15 * * * *)", "PT14M", False),
        ("cron(* * * * *)", "PT1M", True),
        ("cron(0 0,12 * * *)", "PT12H", True),
        ("cron(0 0 * * MON-FRI)", "P1D", False),
        ("cron(0 0 * * MON)", "P7D", True),
        ("cron(0 0 * * 1)", "P1W", True),
        ("cron(0 0 1 * *)", "P15D", False),
        ("cron(0 0 1,15 * MON)", "P7D", True),
        ("cron(0 0 * JAN *)", "P1D", False),
        ("cron(0 0 * 1-12 *)", "P1D", True),
        ("cron(0 22 * * *)", "PT8H", False),
        ("cron(61 0 * * *)", "P1D", False),
        ("cron(a b c d e)", "P1D", False),
        ("cron(0/0 0 * * *)", "P1D", False),
    ],
)
def test_whether_a_schedule_leaves_nothing_out(schedule: str, duration: str, *, always: bool) -> None:
    cron, lasting = CRON.fullmatch(schedule), minutes_of(duration)
    assert cron is not None
    assert lasting is not None
    assert leaves_nothing_out(cron.groups(), lasting) is always


@pytest.mark.parametrize(
    ("duration", "minutes"),
    [
        ("PT4H", 240),
        ("P1D", 1440),
        ("P1DT2H30M", 1590),
        ("P2W", 20160),
        ("PT90S", 0),
        ("4H", None),
        ("P1Y", None),
    ],
)
def test_a_duration_in_minutes(duration: str, minutes: int | None) -> None:
    assert minutes_of(duration) == minutes
