"""DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from local.aws_provider.operations import (
    Answer,
    Call,
    Computed,
    Facet,
    Operations,
    Reader,
    Source,
    Subject,
    Tagging,
    Wanted,
    at,
    from_id,
    identity,
    wanted_name,
)
from local.aws_provider.spelling import camel, pascal
from local.aws_provider.types.description import Description, Limit

if TYPE_CHECKING:
    from local.aws_provider.values import Properties, Value

_TABLE: dict[str, Source] = {"TableName": identity}
_INDEX_KEYS = {"hashKey": "HASH", "rangeKey": "RANGE"}


def _key_schema(owner: Properties) -> list[dict[str, object]]:
    return [
        {"AttributeName": owner[name], "KeyType": kind}
        for name, kind in _INDEX_KEYS.items()
        if owner.get(name)
    ]


def _throughput(owner: Properties) -> object:
    if owner.get("billingMode") == "PAY_PER_REQUEST" or not (
        owner.get("readCapacity") or owner.get("writeCapacity")
    ):
        return None
    return {"ReadCapacityUnits": owner.get("readCapacity"), "WriteCapacityUnits": owner.get("writeCapacity")}


def _indexes(name: str) -> Computed:
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
                    "KeySchema": _key_schema(key),
                    "Projection": projection,
                }
                throughput = _throughput({**index, "billingMode": wanted.get("billingMode")})
                made.append({**entry, **({"ProvisionedThroughput": throughput} if throughput else {})})
        return made

    return Computed((name,), make)


def _stream(wanted: Properties) -> object:
    if not wanted.get("streamEnabled"):
        return None
    return {"StreamEnabled": True, "StreamViewType": wanted.get("streamViewType")}


def _encryption(value: Value) -> object:
    if not isinstance(value, dict):
        return None
    if not value.get("enabled"):
        return {"Enabled": False}
    key = value.get("kmsKeyArn")
    return {"Enabled": True, "SSEType": "KMS", **({"KMSMasterKeyId": key} if key else {})}


def _found_key(kind: str) -> Reader:
    def read(answer: Answer, _subject: Subject) -> Value:
        schema = cast("list[dict[str, str]]", at("Table.KeySchema")(answer, _subject) or [])
        return next((key["AttributeName"] for key in schema if key["KeyType"] == kind), None)

    return read


def _found_encryption(answer: Answer, subject: Subject) -> Value:
    status = at("Table.SSEDescription.Status")(answer, subject)
    if status not in {"ENABLED", "ENABLING", "UPDATING"}:
        return None
    return {"enabled": True, "kmsKeyArn": at("Table.SSEDescription.KMSMasterKeyArn")(answer, subject)}


def _found_billing(answer: Answer, subject: Subject) -> Value:
    return at("Table.BillingModeSummary.BillingMode")(answer, subject) or "PROVISIONED"


def _found_capacity(kind: str) -> Reader:
    def read(answer: Answer, subject: Subject) -> Value:
        provisioned = _found_billing(answer, subject) == "PROVISIONED"
        return (
            at(f"Table.ProvisionedThroughput.{kind}CapacityUnits")(answer, subject) if provisioned else None
        )

    return read


def _found_indexes(path: str) -> Reader:
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


def _recovery(value: Value) -> object:
    if not isinstance(value, dict):
        return {"PointInTimeRecoveryEnabled": False}
    days = value.get("recoveryPeriodInDays")
    enabled = bool(value.get("enabled"))
    return {
        "PointInTimeRecoveryEnabled": enabled,
        **({"RecoveryPeriodInDays": days} if enabled and days else {}),
    }


def _found_recovery(answer: Answer, subject: Subject) -> Value:
    path = "ContinuousBackupsDescription.PointInTimeRecoveryDescription"
    found: Properties = {"enabled": at(f"{path}.PointInTimeRecoveryStatus")(answer, subject) == "ENABLED"}
    days = at(f"{path}.RecoveryPeriodInDays")(answer, subject)
    return {**found, "recoveryPeriodInDays": days} if found["enabled"] and days else found


def _found_expiry(answer: Answer, subject: Subject) -> Value:
    enabled = at("TimeToLiveDescription.TimeToLiveStatus")(answer, subject) in {"ENABLED", "ENABLING"}
    attribute = at("TimeToLiveDescription.AttributeName")(answer, subject)
    return {"enabled": enabled, "attributeName": attribute} if attribute else None


def _changed(*properties: str, **params: Source) -> Facet:
    """Describe properties that AWS changes with one call of update_table."""
    return Facet(properties, Call("update_table", {**_TABLE, **params}))


_ATTRIBUTES = Wanted("attributes", pascal(name="AttributeName", type="AttributeType"))
_THROUGHPUT = Computed(("readCapacity", "writeCapacity"), _throughput)

_OPERATIONS = Operations(
    service="dynamodb",
    create=Call(
        "create_table",
        {
            "TableName": Wanted("name"),
            "AttributeDefinitions": _ATTRIBUTES,
            "KeySchema": Computed(("hashKey", "rangeKey"), _key_schema),
            "BillingMode": Wanted("billingMode"),
            "ProvisionedThroughput": _THROUGHPUT,
            "GlobalSecondaryIndexes": _indexes("globalSecondaryIndexes"),
            "LocalSecondaryIndexes": _indexes("localSecondaryIndexes"),
            "StreamSpecification": Computed(("streamEnabled", "streamViewType"), _stream),
            "SSESpecification": Wanted("serverSideEncryption", _encryption),
            "TableClass": Wanted("tableClass"),
            "DeletionProtectionEnabled": Wanted("deletionProtectionEnabled"),
        },
    ),
    create_tags="Tags",
    name=wanted_name("name"),
    read=Call("describe_table", _TABLE),
    found={
        "arn": at("Table.TableArn"),
        "attributes": at("Table.AttributeDefinitions", camel(name="AttributeName", type="AttributeType")),
        "billingMode": _found_billing,
        "deletionProtectionEnabled": at("Table.DeletionProtectionEnabled"),
        "globalSecondaryIndexes": _found_indexes("GlobalSecondaryIndexes"),
        "hashKey": _found_key("HASH"),
        "localSecondaryIndexes": _found_indexes("LocalSecondaryIndexes"),
        "name": at("Table.TableName"),
        "rangeKey": _found_key("RANGE"),
        "readCapacity": _found_capacity("Read"),
        "serverSideEncryption": _found_encryption,
        "streamArn": at("Table.LatestStreamArn"),
        "streamEnabled": at("Table.StreamSpecification.StreamEnabled"),
        "streamLabel": at("Table.LatestStreamLabel"),
        "streamViewType": at("Table.StreamSpecification.StreamViewType"),
        "tableClass": at("Table.TableClassSummary.TableClass"),
        "writeCapacity": _found_capacity("Write"),
    },
    facets=(
        _changed(
            "billingMode",
            "readCapacity",
            "writeCapacity",
            BillingMode=Wanted("billingMode"),
            ProvisionedThroughput=_THROUGHPUT,
        ),
        _changed("serverSideEncryption", SSESpecification=Wanted("serverSideEncryption", _encryption)),
        _changed(
            "streamEnabled",
            "streamViewType",
            StreamSpecification=Computed(
                ("streamEnabled", "streamViewType"),
                lambda wanted: _stream(wanted) or {"StreamEnabled": False},
            ),
        ),
        _changed(
            "tableClass",
            TableClass=Computed(("tableClass",), lambda wanted: wanted.get("tableClass") or "STANDARD"),
        ),
        _changed(
            "deletionProtectionEnabled",
            DeletionProtectionEnabled=Computed(
                ("deletionProtectionEnabled",), lambda wanted: bool(wanted.get("deletionProtectionEnabled"))
            ),
        ),
        Facet(
            ("pointInTimeRecovery",),
            Call(
                "update_continuous_backups",
                {
                    **_TABLE,
                    "PointInTimeRecoverySpecification": Computed(
                        ("pointInTimeRecovery",), lambda wanted: _recovery(wanted.get("pointInTimeRecovery"))
                    ),
                },
            ),
            read=Call("describe_continuous_backups", _TABLE),
            found={"pointInTimeRecovery": _found_recovery},
        ),
        Facet(
            ("ttl",),
            Call(
                "update_time_to_live",
                {
                    **_TABLE,
                    "TimeToLiveSpecification": Wanted(
                        "ttl",
                        lambda ttl: (
                            {"Enabled": bool(ttl.get("enabled")), "AttributeName": ttl.get("attributeName")}
                            if isinstance(ttl, dict)
                            else None
                        ),
                    ),
                },
            ),
            read=Call("describe_time_to_live", _TABLE),
            found={"ttl": _found_expiry},
        ),
    ),
    tags=Tagging(
        read="list_tags_of_resource",
        path="Tags",
        tag="tag_resource",
        untag="untag_resource",
        resource=(
            "ResourceArn",
            lambda subject: f"arn:aws:dynamodb:{subject.region}:{subject.account}:table/{subject.id}",
        ),
    ),
    delete=(Call("delete_table", _TABLE),),
    missing=frozenset({"ResourceNotFoundException"}),
    taken=frozenset({"ResourceInUseException"}),
    from_id=from_id("name"),
    # ministack 1.4 knows that recovery is on, not for how many days.
    untold=frozenset({"pointInTimeRecovery.recoveryPeriodInDays"}),
    active=lambda answer: at("Table.TableStatus")(answer, Subject("", {}, "", "")) == "ACTIVE",
)

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:dynamodb/table:Table": Description(
        replaces=frozenset(
            {
                "hashKey",
                "importTable",
                "localSecondaryIndexes",
                "name",
                "rangeKey",
                "restoreBackupArn",
                "restoreDateTime",
                "restoreSourceName",
                "restoreSourceTableArn",
                "restoreToLatestTime",
            }
        ),
        defaults={"billingMode": "PROVISIONED"},
        absent={"tableClass": "STANDARD"},
        sets=frozenset({"attributes", "globalSecondaryIndexes", "localSecondaryIndexes", "replicas"}),
        computed=frozenset(
            {
                "pointInTimeRecovery.recoveryPeriodInDays",
                "serverSideEncryption.kmsKeyArn",
                "replicas.kmsKeyArn",
                "replicas.arn",
                "replicas.streamArn",
                "replicas.streamLabel",
            }
        ),
        limits={
            "billingMode": Limit(choices=("PROVISIONED", "PAY_PER_REQUEST")),
            "attributes.type": Limit(choices=("S", "N", "B")),
            "tableClass": Limit(choices=("STANDARD", "STANDARD_INFREQUENT_ACCESS")),
            "pointInTimeRecovery.recoveryPeriodInDays": Limit(minimum=1, maximum=35),
        },
        operations=_OPERATIONS,
    ),
    "aws:dynamodb/tableReplica:TableReplica": Description(
        replaces=frozenset({"globalTableArn", "kmsKeyArn", "tableClassOverride"}),
    ),
}
