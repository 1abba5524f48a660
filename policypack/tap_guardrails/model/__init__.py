"""The model that rules are written against; a rule imports from here and from `tap_guardrails.aws`."""

from __future__ import annotations

from tap_guardrails.model.finding import (
    Finding,
    NotApplicable,
    Outcome,
    Verdict,
    malformed,
    must,
    undecided,
    violation,
)
from tap_guardrails.model.kind import Kind
from tap_guardrails.model.reading import Absent, Known, Malformed, Node, Reading, Undetermined
from tap_guardrails.model.resource import Provider, Resource
from tap_guardrails.model.rule import (
    ANY_TYPE,
    Change,
    Control,
    Repair,
    ResourceRule,
    Rule,
    Severity,
    StackRule,
)
from tap_guardrails.model.settings import Choice, Flag, Settings, SettingsError, Whole, Words
from tap_guardrails.model.stack import Stack, Target
from tap_guardrails.model.values import UNKNOWN, Opaque, Secret, Value, decode
from tap_guardrails.model.waiver import Waiver

__all__ = [
    "ANY_TYPE",
    "UNKNOWN",
    "Absent",
    "Change",
    "Choice",
    "Control",
    "Finding",
    "Flag",
    "Kind",
    "Known",
    "Malformed",
    "Node",
    "NotApplicable",
    "Opaque",
    "Outcome",
    "Provider",
    "Reading",
    "Repair",
    "Resource",
    "ResourceRule",
    "Rule",
    "Secret",
    "Settings",
    "SettingsError",
    "Severity",
    "Stack",
    "StackRule",
    "Target",
    "Undetermined",
    "Value",
    "Verdict",
    "Waiver",
    "Whole",
    "Words",
    "decode",
    "malformed",
    "must",
    "undecided",
    "violation",
]
