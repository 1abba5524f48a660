"""What holds between the inputs of a DynamoDB table: internal/service/dynamodb of terraform-provider-aws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider.limits import given
from tapgate.embedded.aws_provider.values import Unknown, contains_unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.embedded.aws_provider.values import Properties, Value

INDEXES = ("globalSecondaryIndexes", "localSecondaryIndexes")
_KEYS = ("hashKey", "rangeKey")
_CAPACITIES = ("readCapacity", "writeCapacity")
_MADE_FROM = ("restoreSourceName", "restoreSourceTableArn", "restoreBackupArn", "importTable")


def keys_are_attributes(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
    """Refuse keys that are no attributes, and attributes that are no key."""
    keys = {str(key): path for path, key in _keys(inputs)}
    attributes = _objects(inputs.get("attributes"))
    unknown = any(contains_unknown(inputs.get(name)) for name in ("attributes", *INDEXES, *_KEYS))
    if unknown or (not attributes and any(inputs.get(name) is not None for name in _MADE_FROM)):
        return
    names = {str(attribute.get("name")) for attribute in attributes}
    for key, path in keys.items():
        if key not in names:
            yield (
                path,
                f"`{path}` is {key!r}, which is none of `attributes`. AWS refuses it. Fix: add it there",
            )
    for index, attribute in enumerate(attributes):
        if str(attribute.get("name")) not in keys:
            reason = f"the attribute {attribute.get('name')!r} is the key of neither the table nor an index"
            yield (
                f"attributes[{index}]",
                f"{reason}. AWS refuses it. Fix: take it out; items may have it still",
            )


def stream_has_view(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
    """Refuse a stream that does not say what it shows."""
    if inputs.get("streamEnabled") is True and inputs.get("streamViewType") in (None, ""):
        yield "streamViewType", "`streamEnabled` is true, and `streamViewType` is missing. Fix: give it"


def capacity_fits_billing(inputs: Properties, olds: Properties) -> Iterator[tuple[str, str]]:
    """Refuse a provisioned table without capacity, and capacity for one that is paid by request."""
    mode = inputs.get("billingMode", "PROVISIONED")
    if olds and olds.get("billingMode", "PROVISIONED") != mode:
        # While the mode changes, the other mode's capacity may stay, or come by autoscaling.
        return
    if isinstance(mode, Unknown) or any(inputs.get(name) is not None for name in _MADE_FROM):
        return
    for name in _CAPACITIES:
        value = inputs.get(name)
        if mode == "PROVISIONED" and (value is None or (isinstance(value, int) and value < 1)):
            yield name, f"`{name}` has to be at least 1 with the billing mode PROVISIONED. Fix: give it"
        if mode == "PAY_PER_REQUEST" and given(value) and value != 0:
            yield name, f"`{name}` means nothing with the billing mode PAY_PER_REQUEST. Fix: take it out"


def expiry_has_attribute(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
    """Refuse an expiry that does not say which attribute has the time."""
    expiry = inputs.get("ttl")
    if not isinstance(expiry, dict) or expiry.get("enabled") is not True:
        return
    if expiry.get("attributeName") in (None, ""):
        yield "ttl.attributeName", "`ttl` is enabled, and `ttl.attributeName` is missing. Fix: give it"


def _keys(inputs: Properties) -> Iterator[tuple[str, Value]]:
    for name in _KEYS:
        if inputs.get(name) is not None:
            yield name, inputs[name]
    for index in INDEXES:
        for place, entry in enumerate(_objects(inputs.get(index))):
            for name in _KEYS:
                if entry.get(name) is not None:
                    yield f"{index}[{place}].{name}", entry[name]
            for inner, key in enumerate(_objects(entry.get("keySchemas"))):
                yield f"{index}[{place}].keySchemas[{inner}].attributeName", key.get("attributeName")


def _objects(value: Value) -> list[Properties]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
