"""A waiver: somebody's word that a finding may stand, and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from datetime import date


@record
class Waiver:
    """The terms of a waiver.

    Attributes:
        reason: Why the finding may stand.
        owner: Who answers for that.
        expires: The last day on which it holds.
    """

    reason: str
    owner: str
    expires: date
