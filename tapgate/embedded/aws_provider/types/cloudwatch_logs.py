"""CloudWatch Logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tapgate.embedded.aws_provider.operations import (
    Answer,
    Call,
    Operations,
    PropertyGroup,
    Source,
    Subject,
    Tagging,
    Wanted,
    at,
    from_id,
    identity,
    picked,
    wanted_name,
)
from tapgate.embedded.aws_provider.resource_schema import Limit
from tapgate.embedded.aws_provider.types.description import Description

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.values import Value

_GROUP: dict[str, Source] = {"logGroupName": identity}


def _group_arn(subject: Subject) -> object:
    return f"arn:aws:logs:{subject.region}:{subject.account}:log-group:{subject.id}"


def _plain_arn(answer: Answer, subject: Subject) -> Value:
    return str(at("arn")(answer, subject)).removesuffix(":*")


DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:cloudwatch/logGroup:LogGroup": Description(
        replaces=frozenset({"logGroupClass", "name", "namePrefix"}),
        limits={
            "kmsKeyId": Limit(form="arn"),
            "namePrefix": Limit(pattern=r"[.\-_/#A-Za-z0-9]+", max_length=512 - 26),
        },
        operations=Operations(
            service="logs",
            create=Call(
                "create_log_group",
                {
                    "logGroupName": Wanted("name"),
                    "kmsKeyId": Wanted("kmsKeyId"),
                    "logGroupClass": Wanted("logGroupClass"),
                },
            ),
            create_tags="tags",
            name=wanted_name("name"),
            read=Call(
                "describe_log_groups",
                {"logGroupNamePrefix": identity},
                pick=picked("logGroups", "logGroupName"),
            ),
            found={"arn": _plain_arn, "name": at("logGroupName"), "logGroupClass": at("logGroupClass")},
            property_groups=(
                PropertyGroup(
                    ("retentionInDays",),
                    lambda subject: (
                        Call("put_retention_policy", {**_GROUP, "retentionInDays": Wanted("retentionInDays")})
                        if subject.wanted.get("retentionInDays")
                        else Call("delete_retention_policy", _GROUP)
                    ),
                    found={"retentionInDays": at("retentionInDays")},
                ),
                PropertyGroup(
                    ("kmsKeyId",),
                    Call("associate_kms_key", {**_GROUP, "kmsKeyId": Wanted("kmsKeyId")}),
                    clear=Call("disassociate_kms_key", _GROUP),
                    found={"kmsKeyId": at("kmsKeyId")},
                ),
            ),
            tags=Tagging(
                read="list_tags_for_resource",
                path="tags",
                tag="tag_resource",
                untag="untag_resource",
                resource=("resourceArn", _group_arn),
                key="",
                tags_param="tags",
                keys_param="tagKeys",
            ),
            delete=(
                lambda subject: (
                    None if subject.wanted.get("skipDestroy") else Call("delete_log_group", _GROUP)
                ),
            ),
            missing=frozenset({"ResourceNotFoundException"}),
            already_exists_codes=frozenset({"ResourceAlreadyExistsException"}),
            from_id=from_id("name"),
            write_only=frozenset({"skipDestroy"}),
            # ministack 1.4 takes a log group's key and tells none.
            not_returned=frozenset({"kmsKeyId", "logGroupClass"}),
        ),
    ),
}
