"""Remediating what a rule knows how to remediate, in the very message that the engine sent.

Only what a rule names is touched, so that secrets, unknowns and assets go back as they came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from google.protobuf.struct_pb2 import Struct
from google.protobuf.struct_pb2 import Value as WireValue

from tap_guardrails.evaluation import evaluated
from tap_guardrails.model import PropertyPatch, Resource, ResourceRule, Settings, Value, Verdict
from tap_guardrails.model.values import OUTPUT_SIGNATURE, SECRET_SIGNATURE, SIGNATURE_KEY, UNKNOWN_MARKS

if TYPE_CHECKING:
    from tap_guardrails.model.rule import PathStep

WRAPPERS: Final = (SECRET_SIGNATURE, OUTPUT_SIGNATURE)


class CannotPutError(Exception):
    """A value cannot go where it should: something else, or an unknown, is in the way."""


def remediated(
    rule: ResourceRule,
    resource: Resource,
    sent: Struct,
    settings: Settings,
    read: Callable[[Struct], Mapping[str, Value]],
) -> Struct | None:
    """Return a resource's properties remediated, or None where nothing is to be done or nothing is safe.

    Safe means: everything the rule says of the resource is a violation, with nothing undecided and nothing
    failed; and of the result it says nothing more.
    """
    if rule.patches is None:
        return None
    findings = evaluated(rule.check, resource, settings).findings
    if not findings or any(finding.verdict is not Verdict.VIOLATION for finding in findings):
        return None
    properties = Struct()
    properties.CopyFrom(sent)
    try:
        patches = tuple(rule.patches(resource, settings))
        for patch in patches:
            put(properties, patch)
    except Exception:  # noqa: BLE001 - what cannot be remediated is reported when the resource is evaluated
        return None
    result = replace(resource, properties=read(properties))
    return None if not patches or evaluated(rule.check, result, settings).findings else properties


def put(properties: Struct, patch: PropertyPatch) -> None:
    """Put a value where it belongs.

    Raises:
        CannotPutError: There is no such property.
    """
    if not isinstance(patch.path[0], str):
        raise CannotPutError
    field = properties.fields[patch.path[0]]
    for step in patch.path[1:]:
        field = within(unwrapped(field), step)
    write(unwrapped(field), patch.value)


def unwrapped(field: WireValue) -> WireValue:
    """Go to the value that is marked as a secret or an output; the mark stays."""
    while field.WhichOneof("kind") == "struct_value":
        fields = field.struct_value.fields
        if SIGNATURE_KEY not in fields:
            break
        if fields[SIGNATURE_KEY].string_value not in WRAPPERS or "value" not in fields:
            raise CannotPutError
        field = fields["value"]
    return field


def within(field: WireValue, step: PathStep) -> WireValue:
    """Go one step down; an object that is missing is made."""
    oneof = field.WhichOneof("kind")
    if isinstance(step, int):
        if oneof != "list_value" or step >= len(field.list_value.values):
            raise CannotPutError
        return field.list_value.values[step]
    if oneof in {None, "null_value"}:
        field.struct_value.SetInParent()
    elif oneof != "struct_value":
        raise CannotPutError
    return field.struct_value.fields[step]


def write(field: WireValue, value: bool | int | str) -> None:  # noqa: FBT001 - a value like the others
    """Write a scalar over whatever scalar there is."""
    oneof = field.WhichOneof("kind")
    if oneof in {"struct_value", "list_value"} or field.string_value in UNKNOWN_MARKS:
        raise CannotPutError
    if isinstance(value, bool):
        field.bool_value = value
    elif isinstance(value, int):
        field.number_value = value
    else:
        field.string_value = value
