"""The model that rules are written against; a rule imports from here and from `tap_guardrails.aws`."""

from __future__ import annotations

from tap_guardrails.model.finding import Finding, NotApplicable, Outcome, Outcomes, Verdict, Waiver
from tap_guardrails.model.property_value import (
    Absent,
    Invalid,
    Known,
    PropertyRef,
    PropertyValue,
    Unknown,
    refs_at,
)
from tap_guardrails.model.rule import (
    ANY_TYPE,
    Control,
    Coverage,
    Level,
    PropertyPatch,
    ResourceRule,
    Rule,
    Severity,
    StackRule,
    listed,
)
from tap_guardrails.model.settings import Boolean, Enum, Integer, Settings, SettingsError, StringList
from tap_guardrails.model.stack import (
    Embedding,
    Provider,
    Relation,
    RelationIndex,
    Resource,
    ResourceType,
    Stack,
)
from tap_guardrails.model.values import UNKNOWN, Opaque, Secret, Value, decode

__all__ = [
    "ANY_TYPE", "UNKNOWN", "Absent", "Boolean", "Control", "Coverage", "Embedding", "Enum", "Finding",
    "Integer", "Invalid", "Known", "Level", "NotApplicable", "Opaque", "Outcome", "Outcomes",
    "PropertyPatch", "PropertyRef", "PropertyValue", "Provider", "Relation", "RelationIndex",
    "Resource", "ResourceRule", "ResourceType", "Rule", "Secret", "Settings", "SettingsError", "Severity",
    "Stack", "StackRule", "StringList", "Unknown", "Value", "Verdict", "Waiver", "decode",
    "listed", "refs_at",
]  # fmt: skip
