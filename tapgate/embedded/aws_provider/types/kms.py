"""Key Management Service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from tapgate.embedded.aws_provider.limits import needs
from tapgate.embedded.aws_provider.operations import (
    Answer,
    Call,
    Constant,
    Operations,
    PropertyGroup,
    Subject,
    Tagging,
    Wanted,
    at,
    from_id,
    identity,
    named,
    own,
    picked,
    told,
    wanted_name,
)
from tapgate.embedded.aws_provider.resource_schema import Limit
from tapgate.embedded.aws_provider.types.description import Description

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.values import Value

_KEY = {"KeyId": identity}
_ALIAS = "alias/(?!aws/)[0-9A-Za-z_/-]+"
_GONE = frozenset({"PendingDeletion", "PendingReplicaDeletion"})


def _alive(answer: Answer, _subject: Subject) -> Answer | None:
    return None if at("KeyMetadata.KeyState")(answer, _subject) in _GONE else answer


def _rotation(subject: Subject) -> Call:
    if not subject.wanted.get("enableKeyRotation"):
        return Call("disable_key_rotation", _KEY)
    return Call("enable_key_rotation", {**_KEY, **own("rotationPeriodInDays")})


def _enabled(subject: Subject) -> Call:
    return Call("enable_key" if subject.wanted.get("isEnabled") else "disable_key", _KEY)


def _keys(answer: Answer, _subject: Subject) -> Answer:
    keys = cast("list[dict[str, str]]", answer.get("Keys") or [])
    return {"ids": [key["KeyId"] for key in keys]}


def _target(answer: Answer, subject: Subject) -> Value:
    # AWS tells the key's id; a program may have named it by ARN.
    key = answer.get("TargetKeyId")
    wanted = subject.wanted.get("targetKeyId")
    return wanted if isinstance(wanted, str) and wanted.endswith(f"key/{key}") else cast("Value", key)


def _target_arn(answer: Answer, subject: Subject) -> Value:
    return (
        f"{str(answer['AliasArn']).rpartition(':')[0]}:key/{answer.get('TargetKeyId')}"
        if subject.id
        else None
    )


_POLICY = PropertyGroup(
    properties=("policy",),
    put=lambda subject: (
        Call("put_key_policy", {**_KEY, "PolicyName": Constant("default"), **own("policy")})
        if subject.wanted.get("policy")
        else None
    ),
    read=Call("get_key_policy", {**_KEY, "PolicyName": Constant("default")}),
    found=told("", "policy"),
)

_KEY_OPERATIONS = Operations(
    service="kms",
    create=Call(
        "create_key",
        {
            **own("description", "keyUsage", "multiRegion", "policy"),
            "KeySpec": Wanted("customerMasterKeySpec"),
        },
    ),
    create_tags="Tags",
    name=named("KeyMetadata.KeyId"),
    find=Call("list_keys", {"Limit": Constant(1000)}, pick=_keys),
    read=Call("describe_key", _KEY, pick=_alive),
    found={
        **told("KeyMetadata", "arn", "description", "keyId", "keyUsage", "multiRegion"),
        "customerMasterKeySpec": at("KeyMetadata.KeySpec"),
        "isEnabled": at("KeyMetadata.Enabled"),
    },
    property_groups=(
        PropertyGroup(
            properties=("description",),
            put=Call("update_key_description", {**_KEY, **own("description")}),
            clear=Call("update_key_description", {**_KEY, "Description": Constant("")}),
        ),
        _POLICY,
        PropertyGroup(
            properties=("enableKeyRotation", "rotationPeriodInDays"),
            put=_rotation,
            read=Call("get_key_rotation_status", _KEY),
            found={
                "enableKeyRotation": at("KeyRotationEnabled"),
                **told("", "rotationPeriodInDays"),
            },
            absent=frozenset({"UnsupportedOperationException"}),
        ),
        PropertyGroup(properties=("isEnabled",), put=_enabled),
    ),
    tags=Tagging(
        read="list_resource_tags",
        path="Tags",
        tag="tag_resource",
        untag="untag_resource",
        resource=("KeyId", identity),
        key="TagKey",
        value="TagValue",
    ),
    delete=(Call("schedule_key_deletion", {**_KEY, "PendingWindowInDays": Wanted("deletionWindowInDays")}),),
    missing=frozenset({"NotFoundException", "KMSInvalidStateException"}),
    from_id=from_id("keyId"),
    write_only=frozenset({"bypassPolicyLockoutSafetyCheck", "deletionWindowInDays"}),
)

_ALIAS_OPERATIONS = Operations(
    service="kms",
    create=Call("create_alias", {"AliasName": Wanted("name"), **own("targetKeyId")}),
    name=wanted_name("name"),
    read=Call("list_aliases", {"Limit": Constant(100)}, pick=picked("Aliases", "AliasName")),
    found={
        "arn": at("AliasArn"),
        "name": at("AliasName"),
        "targetKeyArn": _target_arn,
        "targetKeyId": _target,
    },
    property_groups=(
        PropertyGroup(
            properties=("targetKeyId",),
            put=Call("update_alias", {"AliasName": identity, **own("targetKeyId")}),
        ),
    ),
    delete=(Call("delete_alias", {"AliasName": identity}),),
    missing=frozenset({"NotFoundException"}),
    already_exists_codes=frozenset({"AlreadyExistsException"}),
    from_id=from_id("name"),
)

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:kms/key:Key": Description(
        replaces=frozenset(
            {"customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"}
        ),
        defaults={
            "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "isEnabled": True,
            "keyUsage": "ENCRYPT_DECRYPT",
        },
        documents=frozenset({"policy"}),
        rules=(needs("rotationPeriodInDays", "enableKeyRotation"), needs("xksKeyId", "customKeyStoreId")),
        operations=_KEY_OPERATIONS,
    ),
    "aws:kms/alias:Alias": Description(
        replaces=frozenset({"name", "namePrefix"}),
        # How the name starts is in the text of botocore's documentation alone.
        limits={
            "name": Limit(pattern=_ALIAS, max_length=256),
            "namePrefix": Limit(pattern=_ALIAS, max_length=256 - 26),
        },
        operations=_ALIAS_OPERATIONS,
    ),
    "aws:kms/keyPolicy:KeyPolicy": Description(
        replaces=frozenset({"keyId"}),
        documents=frozenset({"policy"}),
        limits={"policy": Limit(form="policy")},
        operations=Operations(
            service="kms",
            name=wanted_name("keyId"),
            read=Call("describe_key", _KEY, pick=_alive),
            found=told("KeyMetadata", "keyId"),
            property_groups=(_POLICY,),
            missing=frozenset({"NotFoundException", "KMSInvalidStateException"}),
            from_id=from_id("keyId"),
            write_only=frozenset({"bypassPolicyLockoutSafetyCheck", "keyId"}),
        ),
    ),
}
