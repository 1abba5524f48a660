"""The day of the tests: one for all of their processes, beyond midnight too."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAY = date.fromisoformat(os.environ.setdefault("TAP_TESTS_DAY", f"{datetime.now(UTC):%Y-%m-%d}"))
"""Set in the environment by the first process, whose children take it from there."""


def day(days: int) -> str:
    """The day that is so many days from the tests' own."""
    return (DAY + timedelta(days=days)).isoformat()


class _Stopped(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> _Stopped:
        return cls.combine(DAY, time(12), tz)


def stop() -> None:
    """Have it be noon of that day wherever this process asks how long a waiver holds."""
    from tap_guardrails import waivers  # noqa: PLC0415 - the tests' controller needs the day alone

    waivers.datetime = _Stopped  # type: ignore[attr-defined]
