"""The runtimes of Lambda, and until when AWS supports each.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

from __future__ import annotations

from datetime import date

from tap_guardrails.aws.tables import table


def deprecation_dates() -> dict[str, date | None]:
    """Return the known runtimes, each with the day from which it gets no security updates.

    Returns:
        None for a runtime of which AWS has announced no such day.
    """
    return {name: date.fromisoformat(day) if day else None for name, day in table("lambda_runtimes").items()}


def supported(day: date) -> tuple[str, ...]:
    """Return the runtimes that are supported on a day."""
    return tuple(name for name, last in deprecation_dates().items() if last is None or last > day)
