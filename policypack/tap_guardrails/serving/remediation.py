"""Remediating what a rule knows how to remediate, in the very message that the engine sent.

Only what a rule names is touched, so that secrets, unknowns and assets go back as they came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from google.protobuf.struct_pb2 import Struct
from google.protobuf.struct_pb2 import Value as WireValue

from tap_guardrails.evaluation import evaluate_resource
from tap_guardrails.model import Resource, Verdict
from tap_guardrails.model.values import OUTPUT_SIGNATURE, SECRET_SIGNATURE, SIGNATURE_KEY, UNKNOWN_MARKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_guardrails.model import PropertyPatch, ResourceRule, Settings, Value
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

    Args:
        rule: The rule.
        resource: The resource.
        sent: Its properties as the engine sent them.
        settings: The policy's settings.
        read: Reads properties.
    """
    if rule.remediation is None:
        return None
    findings = evaluate_resource(rule, resource, settings).findings
    if not findings or any(finding.verdict is not Verdict.VIOLATION for finding in findings):
        return None
    properties = Struct()
    properties.CopyFrom(sent)
    try:
        patches = tuple(rule.remediation.patches(resource, settings))
        for patch in patches:
            put(properties, patch)
    except Exception:  # noqa: BLE001 - what cannot be remediated is reported when the resource is evaluated
        return None
    result = Resource(resource.urn, resource.type, resource.name, read(properties), resource.provider)
    return None if not patches or evaluate_resource(rule, result, settings).findings else properties


def put(properties: Struct, patch: PropertyPatch) -> None:
    """Put a value at its place.

    Raises:
        CannotPutError: There is no such place.
    """
    if not isinstance(patch.path[0], str):
        raise CannotPutError
    place = properties.fields[patch.path[0]]
    for step in patch.path[1:]:
        place = within(unwrapped(place), step)
    write(unwrapped(place), patch.value)


def unwrapped(place: WireValue) -> WireValue:
    """Go to the value that is marked as a secret or an output; the mark stays."""
    while place.WhichOneof("kind") == "struct_value":
        fields = place.struct_value.fields
        if SIGNATURE_KEY not in fields:
            break
        if fields[SIGNATURE_KEY].string_value not in WRAPPERS or "value" not in fields:
            raise CannotPutError
        place = fields["value"]
    return place


def within(place: WireValue, step: PathStep) -> WireValue:
    """Go one step down; an object that is missing is made."""
    kind = place.WhichOneof("kind")
    if isinstance(step, int):
        if kind != "list_value" or step >= len(place.list_value.values):
            raise CannotPutError
        return place.list_value.values[step]
    if kind in {None, "null_value"}:
        place.struct_value.SetInParent()
    elif kind != "struct_value":
        raise CannotPutError
    return place.struct_value.fields[step]


def write(place: WireValue, value: bool | int | str) -> None:  # noqa: FBT001 - a value like the others
    """Write a plain value over whatever plain value there is."""
    kind = place.WhichOneof("kind")
    if kind in {"struct_value", "list_value"} or place.string_value in UNKNOWN_MARKS:
        raise CannotPutError
    if isinstance(value, bool):
        place.bool_value = value
    elif isinstance(value, int):
        place.number_value = value
    else:
        place.string_value = value
