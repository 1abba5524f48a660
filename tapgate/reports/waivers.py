"""The waiver of a finding, out of the further words that the pack wrote: Reason, Owner, Expires."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tapgate.findings import Finding

_REASON: Final = ("reason", "waiver", "justification")
_OWNER: Final = ("owner",)
_EXPIRES: Final = ("expires", "expiry", "until")
SOON: Final = 30
"""Days before a waiver's expiry from which a report points it out."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """Why a finding is let through, who answers for that, and until when.

    Attributes:
        reason: the reason, or empty when the pack does not say.
        owner: who answers for it, or empty.
        expires: the date as the pack writes it, or empty.
    """

    reason: str
    owner: str
    expires: str

    def days_left(self, today: date | None) -> int | None:
        """Return the days until expiry, negative once it has passed; none when either date is unknown."""
        try:
            last = date.fromisoformat(self.expires.strip())
        except ValueError:
            return None
        return None if today is None else (last - today).days

    def remaining(self, today: date | None) -> str:
        """Say how long it still holds, in words; empty when that is unknown."""
        days = self.days_left(today)
        if days is None:
            return ""
        if days == 0:
            return "expires today"
        unit = "day" if abs(days) == 1 else "days"
        return f"{days} {unit} left" if days > 0 else f"expired {-days} {unit} ago"


def waiver_of(finding: Finding) -> Waiver | None:
    """Return the finding's waiver, or none when it is not waived."""
    if finding.verdict != "waived":
        return None
    words = {key.lower(): value for key, value in finding.more}

    def first(keys: tuple[str, ...]) -> str:
        return next((words[key] for key in keys if words.get(key)), "")

    return Waiver(reason=first(_REASON), owner=first(_OWNER), expires=first(_EXPIRES))
