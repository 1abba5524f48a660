"""A DynamoDB table's properties: their forms in Pulumi and in AWS's API, and what holds between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tapgate.embedded.aws_provider.limits import given
from tapgate.embedded.aws_provider.operations import Answer, Computed, Reader, Subject, at
from tapgate.embedded.aws_provider.values import Unknown, contains_unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.embedded.aws_provider.values import Properties, Value


_INDEX_KEYS = {"hashKey": "HASH", "rangeKey": "RANGE"}


def key_schema(owner: Properties) -> list[dict[str, object]]:
    """Return the keys of a table or index in AWS's form."""
    return [
        {"AttributeName": owner[name], "KeyType": kind}
        for name, kind in _INDEX_KEYS.items()
        if owner.get(name)
    ]


def throughput(owner: Properties) -> object:
    """Return the provisioned throughput; None for a table that is paid by request."""
    if owner.get("billingMode") == "PAY_PER_REQUEST" or not (
        owner.get("readCapacity") or owner.get("writeCapacity")
    ):
        return None
    return {"ReadCapacityUnits": owner.get("readCapacity"), "WriteCapacityUnits": owner.get("writeCapacity")}


def indexes(name: str) -> Computed:
    """Return the indexes of one kind in AWS's form."""

    def make(wanted: Properties) -> object:
        indexes = wanted.get(name)
        if not isinstance(indexes, list) or not indexes:
            return None
        made: list[object] = []
        for index in indexes:
            if isinstance(index, dict):
                key = {"hashKey": wanted.get("hashKey"), **index}
                projection: dict[str, object] = {"ProjectionType": index.get("projectionType")}
                if index.get("nonKeyAttributes"):
                    projection["NonKeyAttributes"] = index["nonKeyAttributes"]
                entry = {
                    "IndexName": index.get("name"),
                    "KeySchema": key_schema(key),
                    "Projection": projection,
                }
                provisioned = throughput({**index, "billingMode": wanted.get("billingMode")})
                made.append({**entry, **({"ProvisionedThroughput": provisioned} if provisioned else {})})
        return made

    return Computed((name,), make)


def stream(wanted: Properties) -> object:
    """Return the stream's settings; None for a table without one."""
    if not wanted.get("streamEnabled"):
        return None
    return {"StreamEnabled": True, "StreamViewType": wanted.get("streamViewType")}


def encryption(value: Value) -> object:
    """Return the encryption at rest in AWS's form."""
    if not isinstance(value, dict):
        return None
    if not value.get("enabled"):
        return {"Enabled": False}
    key = value.get("kmsKeyArn")
    return {"Enabled": True, "SSEType": "KMS", **({"KMSMasterKeyId": key} if key else {})}


def found_key(kind: str) -> Reader:
    """Read the hash or range key."""

    def read(answer: Answer, _subject: Subject) -> Value:
        schema = cast("list[dict[str, str]]", at("Table.KeySchema")(answer, _subject) or [])
        return next((key["AttributeName"] for key in schema if key["KeyType"] == kind), None)

    return read


def found_encryption(answer: Answer, subject: Subject) -> Value:
    """Read the encryption with a key of KMS; None for AWS's own."""
    status = at("Table.SSEDescription.Status")(answer, subject)
    if status not in {"ENABLED", "ENABLING", "UPDATING"}:
        return None
    return {"enabled": True, "kmsKeyArn": at("Table.SSEDescription.KMSMasterKeyArn")(answer, subject)}


def found_billing(answer: Answer, subject: Subject) -> Value:
    """Read how the table is paid for."""
    return at("Table.BillingModeSummary.BillingMode")(answer, subject) or "PROVISIONED"


def found_capacity(kind: str) -> Reader:
    """Read the provisioned throughput; None for a table that is paid by request."""

    def read(answer: Answer, subject: Subject) -> Value:
        provisioned = found_billing(answer, subject) == "PROVISIONED"
        return (
            at(f"Table.ProvisionedThroughput.{kind}CapacityUnits")(answer, subject) if provisioned else None
        )

    return read


def found_indexes(path: str) -> Reader:
    """Read the indexes of one kind."""

    def read(answer: Answer, subject: Subject) -> Value:
        found: list[Value] = []
        for index in cast("list[dict[str, object]]", at(f"Table.{path}")(answer, subject) or []):
            schema = cast("list[dict[str, str]]", index["KeySchema"])
            projection = cast("dict[str, Value]", index["Projection"])
            entry: Properties = {
                "name": str(index["IndexName"]),
                "hashKey": next((key["AttributeName"] for key in schema if key["KeyType"] == "HASH"), None),
                "rangeKey": next((key["AttributeName"] for key in schema if key["KeyType"] == "RANGE"), None),
                "projectionType": projection.get("ProjectionType"),
                "nonKeyAttributes": projection.get("NonKeyAttributes"),
            }
            if path.startswith("Local"):
                del entry["hashKey"]
            for name in ("Read", "Write"):
                units = at(f"ProvisionedThroughput.{name}CapacityUnits")(index, subject)
                entry[f"{name.lower()}Capacity"] = units or None
            found.append({name: value for name, value in entry.items() if value is not None})
        return found or None

    return read


def recovery(value: Value) -> object:
    """Return the point-in-time recovery in AWS's form."""
    if not isinstance(value, dict):
        return {"PointInTimeRecoveryEnabled": False}
    days = value.get("recoveryPeriodInDays")
    enabled = bool(value.get("enabled"))
    return {
        "PointInTimeRecoveryEnabled": enabled,
        **({"RecoveryPeriodInDays": days} if enabled and days else {}),
    }


def found_recovery(answer: Answer, subject: Subject) -> Value:
    """Read the point-in-time recovery."""
    path = "ContinuousBackupsDescription.PointInTimeRecoveryDescription"
    found: Properties = {"enabled": at(f"{path}.PointInTimeRecoveryStatus")(answer, subject) == "ENABLED"}
    days = at(f"{path}.RecoveryPeriodInDays")(answer, subject)
    return {**found, "recoveryPeriodInDays": days} if found["enabled"] and days else found


def found_expiry(answer: Answer, subject: Subject) -> Value:
    """Read the expiry of items; None for a table without one."""
    enabled = at("TimeToLiveDescription.TimeToLiveStatus")(answer, subject) in {"ENABLED", "ENABLING"}
    attribute = at("TimeToLiveDescription.AttributeName")(answer, subject)
    return {"enabled": enabled, "attributeName": attribute} if attribute else None


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
    if all(inputs.get(name) is None for name in ("billingMode", *_CAPACITIES)):
        # Nothing said about it: AWS refuses it when it is deployed, and policies can be judged without.
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
