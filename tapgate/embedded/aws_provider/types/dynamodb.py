"""DynamoDB: a table's properties, their forms in AWS's API, and what holds between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

from tapgate.embedded.aws_provider.description import (
    Answer,
    Call,
    Computed,
    Description,
    Operations,
    PropertyGroup,
    Reader,
    Source,
    Subject,
    Tagging,
    at,
    identity,
    value_of,
)
from tapgate.embedded.aws_provider.limits import given, needs
from tapgate.embedded.aws_provider.members import inside
from tapgate.embedded.aws_provider.resource_schema import Limit
from tapgate.embedded.aws_provider.values import Properties, Unknown, Value, contains_unknown

_KEY_TYPES: Final = {"hashKey": "HASH", "rangeKey": "RANGE"}
_CAPACITIES: Final = {"readCapacity": "ReadCapacityUnits", "writeCapacity": "WriteCapacityUnits"}
_INDEXES: Final = ("globalSecondaryIndexes", "localSecondaryIndexes")
_MADE_FROM: Final = ("restoreSourceName", "restoreSourceTableArn", "restoreBackupArn", "importTable")


def _key_schema(owner: Properties) -> list[dict[str, object]]:
    """Return the keys of a table or index in AWS's form."""
    return [
        {"AttributeName": owner[name], "KeyType": key_type}
        for name, key_type in _KEY_TYPES.items()
        if owner.get(name)
    ]


def _throughput(owner: Properties) -> object:
    """Return the provisioned throughput; None for a table that is paid by request."""
    by_request = owner.get("billingMode") == "PAY_PER_REQUEST"
    if by_request or not any(owner.get(name) for name in _CAPACITIES):
        return None
    return {member: owner.get(name) for name, member in _CAPACITIES.items()}


def _members(**members: object) -> dict[str, object]:
    """Return an object of AWS's without the members that the program does not give."""
    return {name: value for name, value in members.items() if value}


def _indexes(name: str) -> Computed:
    """Return the indexes of one kind in AWS's form."""

    def make(wanted: Properties) -> object:
        return [
            _members(
                IndexName=index.get("name"),
                KeySchema=_key_schema({"hashKey": wanted.get("hashKey"), **index}),
                Projection=_members(
                    ProjectionType=index.get("projectionType"), NonKeyAttributes=index.get("nonKeyAttributes")
                ),
                ProvisionedThroughput=_throughput({**index, "billingMode": wanted.get("billingMode")}),
            )
            for index in _objects(wanted.get(name))
        ] or None

    return Computed((name,), make)


def _stream(wanted: Properties) -> object:
    if not wanted.get("streamEnabled"):
        return {"StreamEnabled": False}
    return {"StreamEnabled": True, "StreamViewType": wanted.get("streamViewType")}


def _encryption(wanted: Properties) -> object:
    value = wanted.get("serverSideEncryption")
    if not isinstance(value, dict):
        return None
    if not value.get("enabled"):
        return {"Enabled": False}
    return _members(Enabled=True, SSEType="KMS", KMSMasterKeyId=value.get("kmsKeyArn"))


def _recovery(wanted: Properties) -> object:
    value = wanted.get("pointInTimeRecovery")
    if not isinstance(value, dict) or not value.get("enabled"):
        return {"PointInTimeRecoveryEnabled": False}
    return _members(PointInTimeRecoveryEnabled=True, RecoveryPeriodInDays=value.get("recoveryPeriodInDays"))


def _expiry(wanted: Properties) -> object:
    ttl = wanted.get("ttl")
    if not isinstance(ttl, dict):
        return None
    return {"Enabled": bool(ttl.get("enabled")), "AttributeName": ttl.get("attributeName")}


def _key_input(owner: object, name: str) -> Value:
    schema = cast("list[dict[str, str]]", inside(owner, ("KeySchema",)) or [])
    return next((key["AttributeName"] for key in schema if key["KeyType"] == _KEY_TYPES[name]), None)


def _encryption_input(answer: Answer, subject: Subject) -> Value:
    if at("Table.SSEDescription.Status")(answer, subject) not in {"ENABLED", "ENABLING", "UPDATING"}:
        return None
    return {"enabled": True, "kmsKeyArn": at("Table.SSEDescription.KMSMasterKeyArn")(answer, subject)}


def _billing_input(answer: Answer, subject: Subject) -> Value:
    return at("Table.BillingModeSummary.BillingMode")(answer, subject) or "PROVISIONED"


def _capacity_input(member: str) -> Reader:
    path = f"Table.ProvisionedThroughput.{member}"
    return lambda answer, subject: (
        at(path)(answer, subject) if _billing_input(answer, subject) == "PROVISIONED" else None
    )


def _indexes_input(path: str) -> Reader:
    def read(answer: Answer, _subject: Subject) -> Value:
        indexes: list[Value] = []
        for index in cast("list[dict[str, object]]", inside(answer, ("Table", path)) or []):
            entry: dict[str, object] = {
                "name": index["IndexName"],
                **{
                    key: _key_input(index, key) for key in _KEY_TYPES if key == "rangeKey" or "Global" in path
                },
                "projectionType": inside(index, ("Projection", "ProjectionType")),
                "nonKeyAttributes": inside(index, ("Projection", "NonKeyAttributes")),
                **{
                    name: inside(index, ("ProvisionedThroughput", member)) or None
                    for name, member in _CAPACITIES.items()
                },
            }
            indexes.append(cast("Properties", {name: one for name, one in entry.items() if one is not None}))
        return indexes or None

    return read


def _recovery_input(answer: Answer, subject: Subject) -> Value:
    path = "ContinuousBackupsDescription.PointInTimeRecoveryDescription"
    recovery: Properties = {"enabled": at(f"{path}.PointInTimeRecoveryStatus")(answer, subject) == "ENABLED"}
    days = at(f"{path}.RecoveryPeriodInDays")(answer, subject)
    return {**recovery, "recoveryPeriodInDays": days} if recovery["enabled"] and days else recovery


def _expiry_input(answer: Answer, subject: Subject) -> Value:
    enabled = at("TimeToLiveDescription.TimeToLiveStatus")(answer, subject) in {"ENABLED", "ENABLING"}
    attribute = at("TimeToLiveDescription.AttributeName")(answer, subject)
    return {"enabled": enabled, "attributeName": attribute} if attribute else None


def _keys_are_attributes(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
    """Refuse keys that are no attributes, and attributes that are no key."""
    keys = {str(key): path for path, key in _keys(inputs)}
    attributes = _objects(inputs.get("attributes"))
    unknown = any(contains_unknown(inputs.get(name)) for name in ("attributes", *_INDEXES, *_KEY_TYPES))
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


def _capacity_fits_billing(inputs: Properties, olds: Properties) -> Iterator[tuple[str, str]]:
    """Refuse a provisioned table without capacity, and capacity for one that is paid by request."""
    mode = inputs.get("billingMode", "PROVISIONED")
    if olds and olds.get("billingMode", "PROVISIONED") != mode:
        # While the mode changes, the other mode's capacity may stay, or come by autoscaling.
        return
    if isinstance(mode, Unknown) or any(inputs.get(name) is not None for name in _MADE_FROM):
        return
    if all(inputs.get(name) is None for name in ("billingMode", *_CAPACITIES)):
        # Nothing said about it: AWS refuses it when it is deployed, and policies can be evaluated without.
        return
    for name in _CAPACITIES:
        value = inputs.get(name)
        if mode == "PROVISIONED" and (value is None or (isinstance(value, int) and value < 1)):
            yield name, f"`{name}` has to be at least 1 with the billing mode PROVISIONED. Fix: give it"
        if mode == "PAY_PER_REQUEST" and given(value) and value != 0:
            yield name, f"`{name}` means nothing with the billing mode PAY_PER_REQUEST. Fix: take it out"


def _keys(inputs: Properties) -> Iterator[tuple[str, Value]]:
    for name in _KEY_TYPES:
        if inputs.get(name) is not None:
            yield name, inputs[name]
    for index in _INDEXES:
        for position, entry in enumerate(_objects(inputs.get(index))):
            for name in _KEY_TYPES:
                if entry.get(name) is not None:
                    yield f"{index}[{position}].{name}", entry[name]
            for inner, key in enumerate(_objects(entry.get("keySchemas"))):
                yield f"{index}[{position}].keySchemas[{inner}].attributeName", key.get("attributeName")


def _objects(value: Value) -> list[Properties]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


_STREAM: Final = ("streamEnabled", "streamViewType")
_THROUGHPUT: Final[dict[str, Source]] = {"ProvisionedThroughput": Computed((*_CAPACITIES,), _throughput)}
_SSE: Final[dict[str, Source]] = {"SSESpecification": Computed(("serverSideEncryption",), _encryption)}


def _update(*properties: str, empty: object = None, **params: Source) -> PropertyGroup:
    """Describe properties that AWS changes with one call of update_table."""
    emptied = {} if empty is None else {f"{properties[0][:1].upper()}{properties[0][1:]}": empty}
    return PropertyGroup(Call("update_table", params), properties, empty=emptied)


_OPERATIONS = Operations(
    key={"TableName": identity},
    create=Call(
        "create_table",
        {
            "AttributeDefinitions": value_of("attributes"),
            "KeySchema": Computed((*_KEY_TYPES,), _key_schema),
            **_THROUGHPUT,
            "GlobalSecondaryIndexes": _indexes("globalSecondaryIndexes"),
            "LocalSecondaryIndexes": _indexes("localSecondaryIndexes"),
            "StreamSpecification": Computed(
                _STREAM, lambda wanted: _stream(wanted) if wanted.get("streamEnabled") else None
            ),
            **_SSE,
        },
    ),
    read=Call("describe_table"),
    root="Table",
    readers={
        "billingMode": _billing_input,
        "serverSideEncryption": _encryption_input,
        "streamArn": at("Table.LatestStreamArn"),
        "streamLabel": at("Table.LatestStreamLabel"),
        **{name: _indexes_input(f"{name[:1].upper()}{name[1:]}") for name in _INDEXES},
        **{name: lambda answer, _subject, key=name: _key_input(answer["Table"], key) for name in _KEY_TYPES},
        **{name: _capacity_input(member) for name, member in _CAPACITIES.items()},
    },
    property_groups=(
        _update("billingMode", *_CAPACITIES, **_THROUGHPUT),
        _update("serverSideEncryption", **_SSE),
        _update(*_STREAM, StreamSpecification=Computed(_STREAM, _stream)),
        _update("tableClass", empty="STANDARD"),
        _update("deletionProtectionEnabled", empty=False),
        PropertyGroup(
            Call(
                "update_continuous_backups",
                {"PointInTimeRecoverySpecification": Computed(("pointInTimeRecovery",), _recovery)},
            ),
            ("pointInTimeRecovery",),
            read=Call("describe_continuous_backups"),
            readers={"pointInTimeRecovery": _recovery_input},
        ),
        PropertyGroup(
            Call("update_time_to_live", {"TimeToLiveSpecification": Computed(("ttl",), _expiry)}),
            ("ttl",),
            read=Call("describe_time_to_live"),
            readers={"ttl": _expiry_input},
        ),
    ),
    tags=Tagging(
        "list_tags_of_resource",
        ("ResourceArn", lambda subject: subject.arn("dynamodb", f"table/{subject.id}")),
    ),
    delete=(Call("delete_table"),),
    # ministack 1.4 knows that recovery is on, not for how many days.
    not_returned={"pointInTimeRecovery.recoveryPeriodInDays"},
    active=lambda answer: inside(answer, ("Table", "TableStatus")) == "ACTIVE",
)

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:dynamodb/table:Table": Description(
        replaces={
            "hashKey",
            "importTable.s3BucketSource",
            "localSecondaryIndexes",
            "name",
            "rangeKey",
            "restoreBackupArn",
            "restoreDateTime",
            "restoreSourceName",
            "restoreSourceTableArn",
            "restoreToLatestTime",
        },
        defaults={"billingMode": "PROVISIONED"},
        absent={"tableClass": "STANDARD"},
        sets={"attributes", "globalSecondaryIndexes", "localSecondaryIndexes", "replicas"},
        computed={
            "pointInTimeRecovery.recoveryPeriodInDays",
            "serverSideEncryption.kmsKeyArn",
            "replicas.kmsKeyArn",
            "replicas.arn",
            "replicas.streamArn",
            "replicas.streamLabel",
        },
        limits={
            # Botocore takes a table's ARN as well; a new table has no ARN.
            "name": Limit(pattern="[a-zA-Z0-9_.-]+", min_length=3, max_length=255),
            "pointInTimeRecovery.recoveryPeriodInDays": Limit(minimum=1, maximum=35),
            "replicas.consistencyMode": Limit(choices=("EVENTUAL", "STRONG")),
            "restoreDateTime": Limit(pattern=r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z"),
        },
        rules=(
            _keys_are_attributes,
            needs("streamEnabled", "streamViewType"),
            _capacity_fits_billing,
            needs("ttl.enabled", "attributeName"),
        ),
        names={"attributes": "AttributeDefinitions"},
        operations=_OPERATIONS,
    ),
    "aws:dynamodb/tableReplica:TableReplica": Description(
        replaces={"globalTableArn", "kmsKeyArn", "tableClassOverride"}
    ),
}
