"""Waivers: who may let a finding stand, where that is written, and which ones hold.

A waiver is written as a tag on the resource, in the stack's configuration or in a policy's (`terms`). The
ledger knows them all, lets findings stand, and keeps count of which did so.
"""

from __future__ import annotations

from tap_guardrails.waivers.ledger import (
    LONGEST_DAYS,
    WAIVER_POLICY,
    Ledger,
    Listed,
    ProgramWaivers,
    in_policies,
    in_stack,
    ledger_of,
    today_utc,
)
from tap_guardrails.waivers.terms import TAG_PREFIX, Refused, Tagged, lapse, tagged

__all__ = [
    "LONGEST_DAYS",
    "TAG_PREFIX",
    "WAIVER_POLICY",
    "Ledger",
    "Listed",
    "ProgramWaivers",
    "Refused",
    "Tagged",
    "in_policies",
    "in_stack",
    "lapse",
    "ledger_of",
    "tagged",
    "today_utc",
]
