"""Identity and Access Management, and the Key Management Service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from tapgate.embedded.aws_provider.description import (
    Call,
    Description,
    Operations,
    PropertyGroup,
    Tagging,
    always,
    at,
    document,
    identity,
    ids,
    picked,
    value_of,
)
from tapgate.embedded.aws_provider.limits import needs
from tapgate.embedded.aws_provider.resource_schema import Limit

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.description import Answer, Caller, Source, Subject
    from tapgate.embedded.aws_provider.values import Value

_NAME: Final = r"[\w+=,.@-]+"
_ROLE: Final[dict[str, Source]] = {"RoleName": identity}


def _of_role(index: int) -> Source:
    return lambda subject: subject.id.split(":", 1)[index]


def _attached(answer: Answer, subject: Subject) -> Answer | None:
    policies = cast("list[dict[str, str]]", answer.get("AttachedPolicies") or [])
    wanted = subject.wanted.get("policyArn")
    return next((policy for policy in policies if policy["PolicyArn"] == wanted), None)


def _empty_role(call: Caller, subject: Subject) -> None:
    """Take away the role's policies, where the program has said that they may go too."""
    role: dict[str, object] = {"RoleName": subject.id}
    forced = bool(subject.wanted.get("forceDetachPolicies"))
    own = subject.wanted.get("inlinePolicies")
    policies = own if isinstance(own, list) else []
    names = {str(policy.get("name")) for policy in policies if isinstance(policy, dict)}
    for name in cast("list[str]", call("list_role_policies", role).get("PolicyNames") or []):
        if forced or name in names:
            call("delete_role_policy", {**role, "PolicyName": name})
    managed = subject.wanted.get("managedPolicyArns")
    arns = {str(arn) for arn in managed} if isinstance(managed, list) else set[str]()
    attached = call("list_attached_role_policies", role).get("AttachedPolicies")
    for policy in cast("list[dict[str, str]]", attached or []):
        if forced or policy["PolicyArn"] in arns:
            call("detach_role_policy", {**role, "PolicyArn": policy["PolicyArn"]})


_ROLE_OPERATIONS = Operations(
    key=_ROLE,
    create=Call("create_role"),
    read=Call("get_role"),
    root="Role",
    readers={
        "assumeRolePolicy": document("Role.AssumeRolePolicyDocument"),
        "permissionsBoundary": at("Role.PermissionsBoundary.PermissionsBoundaryArn"),
    },
    property_groups=(
        PropertyGroup(
            Call("update_assume_role_policy", {"PolicyDocument": value_of("assumeRolePolicy")}),
            ("assumeRolePolicy",),
        ),
        PropertyGroup(Call("update_role"), empty={"Description": ""}),
        PropertyGroup(Call("put_role_permissions_boundary"), clear=Call("delete_role_permissions_boundary")),
    ),
    tags=Tagging("list_role_tags", ("RoleName", identity), "tag_role", "untag_role"),
    delete=(Call("delete_role"),),
    pre_delete=_empty_role,
    write_only={"forceDetachPolicies"},
)


def _alive(answer: Answer, _subject: Subject) -> Answer | None:
    gone = at("KeyMetadata.KeyState")(answer, _subject) in {"PendingDeletion", "PendingReplicaDeletion"}
    return None if gone else answer


def _rotation(subject: Subject) -> Call:
    if not subject.wanted.get("enableKeyRotation"):
        return Call("disable_key_rotation")
    return Call("enable_key_rotation", {"RotationPeriodInDays": value_of("rotationPeriodInDays")})


def _key_id(answer: Answer, subject: Subject) -> Value:
    # AWS tells the key's id; a program may have named it by ARN.
    key = answer.get("TargetKeyId")
    wanted = subject.wanted.get("targetKeyId")
    return wanted if isinstance(wanted, str) and wanted.endswith(f"key/{key}") else cast("Value", key)


_KEY: Final[dict[str, Source]] = {"KeyId": identity}
_ALIAS: Final = "alias/(?!aws/)[0-9A-Za-z_/-]+"
_NO_KEY: Final = {"KMSInvalidStateException"}
_DEFAULT: Final[dict[str, Source]] = {"PolicyName": always("default")}
_POLICY = PropertyGroup(
    lambda subject: (
        Call("put_key_policy", {**_DEFAULT, "Policy": value_of("policy")})
        if subject.wanted.get("policy")
        else None
    ),
    ("policy",),
    read=Call("get_key_policy", _DEFAULT),
)

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:iam/role:Role": Description(
        replaces={"name", "namePrefix", "path"},
        defaults={"maxSessionDuration": 3600, "path": "/"},
        sets={"inlinePolicies", "managedPolicyArns"},
        documents={"assumeRolePolicy", "inlinePolicies.policy"},
        limits={
            "inlinePolicies.name": Limit(pattern=_NAME, max_length=128),
            "inlinePolicies.policy": Limit(form="iam-policy"),
            "namePrefix": Limit(pattern=_NAME, max_length=64 - 26),
            "permissionsBoundary": Limit(form="arn"),
        },
        names={"assumeRolePolicy": "AssumeRolePolicyDocument", "uniqueId": "RoleId"},
        operations=_ROLE_OPERATIONS,
    ),
    "aws:iam/policy:Policy": Description(
        replaces={"description", "name", "namePrefix", "path"},
        defaults={"path": "/"},
        documents={"policy"},
        limits={"namePrefix": Limit(pattern=_NAME, max_length=128 - 26), "policy": Limit(form="iam-policy")},
    ),
    "aws:iam/rolePolicy:RolePolicy": Description(
        replaces={"name", "namePrefix", "role"},
        documents={"policy"},
        limits={"namePrefix": Limit(pattern=_NAME, max_length=128 - 26), "policy": Limit(form="iam-policy")},
        names={"policy": "PolicyDocument", "role": "RoleName", "name": "PolicyName"},
        operations=Operations(
            key={"RoleName": _of_role(0), "PolicyName": _of_role(1)},
            id=("role", "name"),
            read=Call("get_role_policy"),
            readers={"policy": document("PolicyDocument")},
            property_groups=(PropertyGroup(Call("put_role_policy")),),
            delete=(Call("delete_role_policy"),),
        ),
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Description(
        replaces={"policyArn", "role"},
        replaced_first=True,
        names={"role": "RoleName"},
        operations=Operations(
            key={"RoleName": value_of("role"), "PolicyArn": value_of("policyArn")},
            id=("role", "policyArn"),
            separator="/",
            read=Call("list_attached_role_policies", pick=_attached),
            property_groups=(PropertyGroup(Call("attach_role_policy"), ("policyArn",)),),
            delete=(Call("detach_role_policy"),),
            write_only={"role"},
        ),
    ),
    "aws:kms/key:Key": Description(
        replaces={"customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"},
        defaults={
            "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "isEnabled": True,
            "keyUsage": "ENCRYPT_DECRYPT",
        },
        documents={"policy"},
        rules=(needs("rotationPeriodInDays", "enableKeyRotation"), needs("xksKeyId", "customKeyStoreId")),
        names={
            "customerMasterKeySpec": "KeySpec",
            "enableKeyRotation": "KeyRotationEnabled",
            "isEnabled": "Enabled",
        },
        operations=Operations(
            key=_KEY,
            create=Call("create_key"),
            answered="KeyMetadata.KeyId",
            find=Call("list_keys", {"Limit": always(1000)}, pick=ids("Keys", "KeyId")),
            read=Call("describe_key", pick=_alive),
            root="KeyMetadata",
            property_groups=(
                PropertyGroup(Call("update_key_description"), ("description",), empty={"Description": ""}),
                _POLICY,
                PropertyGroup(
                    _rotation,
                    ("enableKeyRotation", "rotationPeriodInDays"),
                    read=Call("get_key_rotation_status"),
                    absent={"UnsupportedOperationException"},
                ),
                PropertyGroup(
                    lambda subject: Call("enable_key" if subject.wanted.get("isEnabled") else "disable_key"),
                    ("isEnabled",),
                ),
            ),
            tags=Tagging("list_resource_tags", ("KeyId", identity)),
            delete=(
                Call("schedule_key_deletion", {"PendingWindowInDays": value_of("deletionWindowInDays")}),
            ),
            missing=_NO_KEY,
            id=("keyId",),
            write_only={"bypassPolicyLockoutSafetyCheck", "deletionWindowInDays"},
        ),
    ),
    "aws:kms/alias:Alias": Description(
        replaces={"name", "namePrefix"},
        # How the name starts is in the text of botocore's documentation alone.
        limits={
            "name": Limit(pattern=_ALIAS, max_length=256),
            "namePrefix": Limit(pattern=_ALIAS, max_length=256 - 26),
        },
        operations=Operations(
            key={"AliasName": identity},
            create=Call("create_alias"),
            read=Call("list_aliases", {"Limit": always(100)}, pick=picked("Aliases", "AliasName")),
            readers={
                "targetKeyArn": lambda answer, _subject: (
                    f"{str(answer['AliasArn']).rpartition(':')[0]}:key/{answer.get('TargetKeyId')}"
                ),
                "targetKeyId": _key_id,
            },
            property_groups=(PropertyGroup(Call("update_alias")),),
            delete=(Call("delete_alias"),),
        ),
    ),
    "aws:kms/keyPolicy:KeyPolicy": Description(
        replaces={"keyId"},
        documents={"policy"},
        limits={"policy": Limit(form="policy")},
        operations=Operations(
            key=_KEY,
            id=("keyId",),
            read=Call("describe_key", pick=_alive),
            root="KeyMetadata",
            property_groups=(_POLICY,),
            missing=_NO_KEY,
            write_only={"bypassPolicyLockoutSafetyCheck"},
        ),
    ),
}
