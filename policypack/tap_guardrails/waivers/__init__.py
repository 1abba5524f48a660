"""Waivers: who may let a finding stand, where that is written, and which ones hold.

A waiver is written as a tag on the resource (`tags`), in the stack's configuration or in a policy's
(`listed`). The ledger knows them all, lets findings stand, and keeps count of which did so.
"""

from __future__ import annotations

from tap_guardrails.waivers.ledger import (
    LONGEST_DAYS,
    WAIVER_POLICY,
    Ledger,
    ProgramWaivers,
    ledger_of,
    today_utc,
)
from tap_guardrails.waivers.listed import Listed, in_policies, in_stack
from tap_guardrails.waivers.tags import TAG_PREFIX, Tagged, tagged
from tap_guardrails.waivers.terms import Refused, lapse

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
