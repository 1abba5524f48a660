"""A small event log of a run, as the engine writes it, that a test can change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tapgate.events import EventLog, read_events

if TYPE_CHECKING:
    from collections.abc import Mapping

STACK = "urn:pulumi:dev::tap::pulumi:pulumi:Stack::tap-dev"
KEY = "urn:pulumi:dev::tap::tap:index:TapStack$aws:kms/key:Key::tap-key"


def step(op: str, urn: str, kind: str) -> dict[str, object]:
    return {"resourcePreEvent": {"metadata": {"op": op, "urn": urn, "type": kind}}}


def analyzed(urn: str, passed: list[str], failed: list[str], pack: str = "p") -> dict[str, object]:
    return {
        "policyAnalyzeSummaryEvent": {
            "resourceUrn": urn,
            "policyPackName": pack,
            "passed": passed,
            "failed": failed,
        }
    }


def stack_analyzed(passed: list[str], failed: list[str], pack: str = "p") -> dict[str, object]:
    return {"policyAnalyzeStackSummaryEvent": {"policyPackName": pack, "passed": passed, "failed": failed}}


def finding(
    urn: str, policy: str, message: str, level: str = "mandatory", severity: str = ""
) -> dict[str, object]:
    return {
        "policyEvent": {
            "resourceUrn": urn,
            "message": message,
            "policyName": policy,
            "policyPackName": "p",
            "enforcementLevel": level,
            "severity": severity,
        }
    }


def diagnostic(severity: str, message: str, urn: str = "") -> dict[str, object]:
    return {"diagnosticEvent": {"severity": severity, "message": message, "urn": urn}}


def closing(result: str = "succeeded", packs: Mapping[str, str] | None = None) -> dict[str, object]:
    loaded = {"p|local|/packs/p": "1.0.0"} if packs is None else packs
    return {"summaryEvent": {"result": result, "PolicyPacks": loaded, "resourceChanges": {"create": 2}}}


def events(*more: dict[str, object], end: dict[str, object] | None = None) -> EventLog:
    """A run in which pack p looked at two resources and the stack, with more events in between."""
    lines = [
        analyzed(STACK, [], []),
        step("create", STACK, "pulumi:pulumi:Stack"),
        analyzed(KEY, ["rotates"], []),
        step("create", KEY, "aws:kms/key:Key"),
        stack_analyzed(["alarms"], []),
        *more,
        closing() if end is None else end,
    ]
    return read_events(json.dumps(line) for line in lines)
