"""Identity and Access Management."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote

from tapgate.embedded.aws_provider.operations import (
    Answer,
    Call,
    Computed,
    Operations,
    PropertyGroup,
    Reader,
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

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.values import Value

_ROLE: dict[str, Source] = {"RoleName": identity}
_NAME = r"[\w+=,.@-]+"
_GONE = frozenset({"NoSuchEntity", "NoSuchEntityException"})
_ALREADY_EXISTS = frozenset({"EntityAlreadyExists", "EntityAlreadyExistsException"})


def _document(path: str) -> Reader:
    """Read a policy document, which boto3 may have parsed already."""

    def read(answer: Answer, subject: Subject) -> Value:
        value: object = at(path)(answer, subject)
        if value is None or not isinstance(value, str):
            return None if value is None else json.dumps(value)
        return unquote(value) if value.startswith("%") else value

    return read


def _moment(path: str) -> Reader:
    def read(answer: Answer, subject: Subject) -> Value:
        value: object = at(path)(answer, subject)
        return None if value is None else str(value).replace(" ", "T").replace("+00:00", "Z")

    return read


def _role_part(index: int) -> Source:
    return lambda subject: subject.id.split(":", 1)[index]


def _attached(answer: Answer, subject: Subject) -> Answer | None:
    policies = cast("list[dict[str, str]]", answer.get("AttachedPolicies") or [])
    wanted = subject.wanted.get("policyArn")
    return next((policy for policy in policies if policy["PolicyArn"] == wanted), None)


_ROLE_OPERATIONS = Operations(
    service="iam",
    create=Call(
        "create_role",
        {
            "RoleName": Wanted("name"),
            "AssumeRolePolicyDocument": Wanted("assumeRolePolicy"),
            **own("description", "maxSessionDuration", "path", "permissionsBoundary"),
        },
    ),
    create_tags="Tags",
    name=wanted_name("name"),
    read=Call("get_role", _ROLE),
    found={
        **told("Role", "arn", "maxSessionDuration", "path"),
        "createDate": _moment("Role.CreateDate"),
        "name": at("Role.RoleName"),
        "uniqueId": at("Role.RoleId"),
    },
    property_groups=(
        PropertyGroup(
            ("assumeRolePolicy",),
            Call("update_assume_role_policy", {**_ROLE, "PolicyDocument": Wanted("assumeRolePolicy")}),
            found={"assumeRolePolicy": _document("Role.AssumeRolePolicyDocument")},
        ),
        PropertyGroup(
            ("description", "maxSessionDuration"),
            Call(
                "update_role",
                {
                    **_ROLE,
                    "Description": Computed(("description",), lambda wanted: wanted.get("description") or ""),
                    **own("maxSessionDuration"),
                },
            ),
            found=told("Role", "description"),
        ),
        PropertyGroup(
            ("permissionsBoundary",),
            Call(
                "put_role_permissions_boundary",
                {**_ROLE, **own("permissionsBoundary")},
            ),
            clear=Call("delete_role_permissions_boundary", _ROLE),
            found={"permissionsBoundary": at("Role.PermissionsBoundary.PermissionsBoundaryArn")},
        ),
    ),
    tags=Tagging(
        read="list_role_tags",
        path="Tags",
        tag="tag_role",
        untag="untag_role",
        resource=("RoleName", identity),
    ),
    delete=(Call("delete_role", _ROLE),),
    pre_delete="role",
    missing=_GONE,
    already_exists_codes=_ALREADY_EXISTS,
    from_id=from_id("name"),
    write_only=frozenset({"forceDetachPolicies"}),
)

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:iam/role:Role": Description(
        replaces=frozenset({"name", "namePrefix", "path"}),
        defaults={"maxSessionDuration": 3600, "path": "/"},
        sets=frozenset({"inlinePolicies", "managedPolicyArns"}),
        documents=frozenset({"assumeRolePolicy", "inlinePolicies.policy"}),
        limits={
            "inlinePolicies.name": Limit(pattern=_NAME, max_length=128),
            "inlinePolicies.policy": Limit(form="iam-policy"),
            "namePrefix": Limit(pattern=_NAME, max_length=64 - 26),
            "permissionsBoundary": Limit(form="arn"),
        },
        operations=_ROLE_OPERATIONS,
    ),
    "aws:iam/policy:Policy": Description(
        replaces=frozenset({"description", "name", "namePrefix", "path"}),
        defaults={"path": "/"},
        documents=frozenset({"policy"}),
        limits={
            "name": Limit(pattern=_NAME, max_length=128),
            "namePrefix": Limit(pattern=_NAME, max_length=128 - 26),
            "policy": Limit(form="iam-policy"),
        },
    ),
    "aws:iam/rolePolicy:RolePolicy": Description(
        replaces=frozenset({"name", "namePrefix", "role"}),
        documents=frozenset({"policy"}),
        limits={
            "name": Limit(pattern=_NAME, max_length=128),
            "namePrefix": Limit(pattern=_NAME, max_length=128 - 26),
            "policy": Limit(form="iam-policy"),
            "role": Limit(pattern=_NAME, max_length=64),
        },
        operations=Operations(
            service="iam",
            name=wanted_name("role", "name"),
            read=Call("get_role_policy", {"RoleName": _role_part(0), "PolicyName": _role_part(1)}),
            found={
                "name": at("PolicyName"),
                "policy": _document("PolicyDocument"),
                "role": at("RoleName"),
            },
            property_groups=(
                PropertyGroup(
                    ("policy",),
                    Call(
                        "put_role_policy",
                        {
                            "RoleName": _role_part(0),
                            "PolicyName": _role_part(1),
                            "PolicyDocument": Wanted("policy"),
                        },
                    ),
                ),
            ),
            delete=(Call("delete_role_policy", {"RoleName": _role_part(0), "PolicyName": _role_part(1)}),),
            missing=_GONE,
            from_id=from_id("role", "name"),
            write_only=frozenset({"name", "role"}),
        ),
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Description(
        replaces=frozenset({"policyArn", "role"}),
        replaced_first=True,
        operations=Operations(
            service="iam",
            name=lambda _answer, subject: f"{subject.wanted.get('role')}/{subject.wanted.get('policyArn')}",
            read=Call("list_attached_role_policies", {"RoleName": Wanted("role")}, pick=_attached),
            found=told("", "policyArn"),
            property_groups=(
                PropertyGroup(
                    ("policyArn",),
                    Call("attach_role_policy", {"RoleName": Wanted("role"), **own("policyArn")}),
                ),
            ),
            delete=(Call("detach_role_policy", {"RoleName": Wanted("role"), **own("policyArn")}),),
            missing=_GONE,
            from_id=lambda identifier: dict(
                zip(("role", "policyArn"), identifier.split("/", 1), strict=False)
            ),
            write_only=frozenset({"role"}),
        ),
    ),
}
