"""DynamoDB."""

from __future__ import annotations

from typing import Final

from tapgate.embedded.aws_provider.casing import camel, pascal
from tapgate.embedded.aws_provider.operations import (
    Call,
    Computed,
    Operations,
    PropertyGroup,
    Source,
    Subject,
    Tagging,
    Wanted,
    at,
    from_id,
    identity,
    own,
    told,
    wanted_name,
)
from tapgate.embedded.aws_provider.resource_schema import Limit
from tapgate.embedded.aws_provider.types.description import Description
from tapgate.embedded.aws_provider.types.dynamodb_forms import (
    INDEXES,
    capacity_fits_billing,
    encryption,
    expiry_has_attribute,
    found_billing,
    found_capacity,
    found_encryption,
    found_expiry,
    found_indexes,
    found_key,
    found_recovery,
    indexes,
    key_schema,
    keys_are_attributes,
    recovery,
    stream,
    stream_has_view,
    throughput,
)

# Botocore takes a table's ARN as well; a new table has no ARN.
_NAME = Limit(pattern="[a-zA-Z0-9_.-]+", min_length=3, max_length=255)
_PROJECTION = Limit(choices=("ALL", "INCLUDE", "KEYS_ONLY"))
_TABLE: dict[str, Source] = {"TableName": identity}


def _changed(*properties: str, **params: Source) -> PropertyGroup:
    """Describe properties that AWS changes with one call of update_table."""
    return PropertyGroup(properties, Call("update_table", {**_TABLE, **params}))


_ATTRIBUTES = Wanted("attributes", pascal(name="AttributeName", type="AttributeType"))
_THROUGHPUT = Computed(("readCapacity", "writeCapacity"), throughput)

_OPERATIONS = Operations(
    service="dynamodb",
    create=Call(
        "create_table",
        {
            "TableName": Wanted("name"),
            "AttributeDefinitions": _ATTRIBUTES,
            "KeySchema": Computed(("hashKey", "rangeKey"), key_schema),
            **own("billingMode", "tableClass", "deletionProtectionEnabled"),
            "ProvisionedThroughput": _THROUGHPUT,
            "GlobalSecondaryIndexes": indexes("globalSecondaryIndexes"),
            "LocalSecondaryIndexes": indexes("localSecondaryIndexes"),
            "StreamSpecification": Computed(("streamEnabled", "streamViewType"), stream),
            "SSESpecification": Wanted("serverSideEncryption", encryption),
        },
    ),
    create_tags="Tags",
    name=wanted_name("name"),
    read=Call("describe_table", _TABLE),
    found={
        "arn": at("Table.TableArn"),
        "attributes": at("Table.AttributeDefinitions", camel(name="AttributeName", type="AttributeType")),
        "billingMode": found_billing,
        **told("Table", "deletionProtectionEnabled"),
        "globalSecondaryIndexes": found_indexes("GlobalSecondaryIndexes"),
        "hashKey": found_key("HASH"),
        "localSecondaryIndexes": found_indexes("LocalSecondaryIndexes"),
        "name": at("Table.TableName"),
        "rangeKey": found_key("RANGE"),
        "readCapacity": found_capacity("Read"),
        "serverSideEncryption": found_encryption,
        "streamArn": at("Table.LatestStreamArn"),
        **told("Table.StreamSpecification", "streamEnabled", "streamViewType"),
        "streamLabel": at("Table.LatestStreamLabel"),
        **told("Table.TableClassSummary", "tableClass"),
        "writeCapacity": found_capacity("Write"),
    },
    property_groups=(
        _changed(
            "billingMode",
            "readCapacity",
            "writeCapacity",
            BillingMode=Wanted("billingMode"),
            ProvisionedThroughput=_THROUGHPUT,
        ),
        _changed("serverSideEncryption", SSESpecification=Wanted("serverSideEncryption", encryption)),
        _changed(
            "streamEnabled",
            "streamViewType",
            StreamSpecification=Computed(
                ("streamEnabled", "streamViewType"),
                lambda wanted: stream(wanted) or {"StreamEnabled": False},
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
        PropertyGroup(
            ("pointInTimeRecovery",),
            Call(
                "update_continuous_backups",
                {
                    **_TABLE,
                    "PointInTimeRecoverySpecification": Computed(
                        ("pointInTimeRecovery",), lambda wanted: recovery(wanted.get("pointInTimeRecovery"))
                    ),
                },
            ),
            read=Call("describe_continuous_backups", _TABLE),
            found={"pointInTimeRecovery": found_recovery},
        ),
        PropertyGroup(
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
            found={"ttl": found_expiry},
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
    already_exists_codes=frozenset({"ResourceInUseException"}),
    from_id=from_id("name"),
    # ministack 1.4 knows that recovery is on, not for how many days.
    not_returned=frozenset({"pointInTimeRecovery.recoveryPeriodInDays"}),
    active=lambda answer: at("Table.TableStatus")(answer, Subject("", {}, "", "")) == "ACTIVE",
)

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:dynamodb/table:Table": Description(
        replaces=frozenset(
            {
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
            "name": _NAME,
            "pointInTimeRecovery.recoveryPeriodInDays": Limit(minimum=1, maximum=35),
            "replicas.consistencyMode": Limit(choices=("EVENTUAL", "STRONG")),
            "restoreDateTime": Limit(pattern=r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z"),
            **{f"{index}.name": _NAME for index in INDEXES},
            **{f"{index}.projectionType": _PROJECTION for index in INDEXES},
        },
        rules=(keys_are_attributes, stream_has_view, capacity_fits_billing, expiry_has_attribute),
        operations=_OPERATIONS,
    ),
    "aws:dynamodb/tableReplica:TableReplica": Description(
        replaces=frozenset({"globalTableArn", "kmsKeyArn", "tableClassOverride"}),
    ),
}
