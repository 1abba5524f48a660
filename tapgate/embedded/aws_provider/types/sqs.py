"""Simple Queue Service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tapgate.embedded.aws_provider.casing import Attribute, all_given, one, reader, truth, whole
from tapgate.embedded.aws_provider.limits import fifo_name, needs, not_both
from tapgate.embedded.aws_provider.operations import (
    Call,
    Constant,
    Operations,
    PropertyGroup,
    Source,
    Tagging,
    Wanted,
    from_id,
    identity,
    named,
    wanted_name,
)
from tapgate.embedded.aws_provider.resource_schema import Limit
from tapgate.embedded.aws_provider.types.description import Description

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.operations import Answer, Subject
    from tapgate.embedded.aws_provider.values import Value

_QUEUE: dict[str, Source] = {"QueueUrl": identity}
_GONE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
_POLICY = Attribute("policy")
_REDRIVE = Attribute("redrivePolicy")
_REDRIVE_ALLOW = Attribute("redriveAllowPolicy")
_FIFO = Attribute("fifoQueue", read=truth)
_CHANGEABLE = (
    Attribute("contentBasedDeduplication", read=truth, cleared="false"),
    Attribute("deduplicationScope"),
    Attribute("delaySeconds", read=whole, cleared="0"),
    Attribute("fifoThroughputLimit"),
    Attribute("kmsDataKeyReusePeriodSeconds", read=whole, cleared="300"),
    Attribute("kmsMasterKeyId"),
    Attribute("maxMessageSize", "MaximumMessageSize", whole),
    Attribute("messageRetentionSeconds", "MessageRetentionPeriod", whole),
    _POLICY,
    Attribute("receiveWaitTimeSeconds", "ReceiveMessageWaitTimeSeconds", whole, "0"),
    _REDRIVE_ALLOW,
    _REDRIVE,
    Attribute("sqsManagedSseEnabled", read=truth, cleared="false"),
    Attribute("visibilityTimeoutSeconds", "VisibilityTimeout", whole),
)
_ATTRIBUTES = Call("get_queue_attributes", {**_QUEUE, "AttributeNames": Constant(["All"])})


def _group(attribute: Attribute) -> PropertyGroup:
    return PropertyGroup(
        (attribute.property,),
        Call("set_queue_attributes", {**_QUEUE, "Attributes": one(attribute)}),
        found={attribute.property: reader(attribute)},
    )


def _name(_answer: Answer, subject: Subject) -> Value:
    return subject.id.rpartition("/")[2]


def _beside(attribute: Attribute) -> Description:
    """Describe one attribute of a queue as a resource of its own, which bears the queue's URL."""
    return Description(
        replaces=frozenset({"queueUrl"}),
        documents=frozenset({attribute.property}),
        operations=Operations(
            service="sqs",
            name=wanted_name("queueUrl"),
            read=Call(
                "get_queue_attributes",
                {**_QUEUE, "AttributeNames": Constant([attribute.name])},
                pick=lambda answer, subject: (
                    answer if reader(attribute)(answer, subject) is not None else None
                ),
            ),
            found={attribute.property: reader(attribute)},
            property_groups=(PropertyGroup((attribute.property,), _group(attribute).put),),
            delete=(Call("set_queue_attributes", {**_QUEUE, "Attributes": Constant({attribute.name: ""})}),),
            missing=_GONE,
            from_id=from_id("queueUrl"),
            write_only=frozenset({"queueUrl"}),
        ),
    )


DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:sqs/queue:Queue": Description(
        replaces=frozenset({"fifoQueue", "name", "namePrefix"}),
        defaults={
            "maxMessageSize": 262144,
            "messageRetentionSeconds": 345600,
            "visibilityTimeoutSeconds": 30,
        },
        documents=frozenset({"policy", "redriveAllowPolicy", "redrivePolicy"}),
        limits={
            "name": Limit(pattern=r"[0-9A-Za-z_-]{1,80}|[0-9A-Za-z_-]{1,75}\.fifo"),
            "namePrefix": Limit(pattern=r"[0-9A-Za-z_-]{1,54}"),
        },
        rules=(
            not_both("kmsMasterKeyId", "sqsManagedSseEnabled"),
            needs("contentBasedDeduplication", "fifoQueue", true=True),
            fifo_name("fifoQueue"),
        ),
        operations=Operations(
            service="sqs",
            create=Call(
                "create_queue", {"QueueName": Wanted("name"), "Attributes": all_given(_FIFO, *_CHANGEABLE)}
            ),
            create_tags="tags",
            name=named("QueueUrl"),
            find=Call(
                "get_queue_url",
                {"QueueName": Wanted("name")},
                pick=lambda answer, _subject: {"ids": [answer["QueueUrl"]]},
            ),
            must_be_new=True,
            read=_ATTRIBUTES,
            found={
                "arn": reader(Attribute("arn", "QueueArn")),
                "fifoQueue": reader(_FIFO),
                "name": _name,
                "url": lambda _answer, subject: subject.id,
            },
            property_groups=tuple(_group(attribute) for attribute in _CHANGEABLE),
            tags=Tagging(
                read="list_queue_tags",
                path="Tags",
                tag="tag_queue",
                untag="untag_queue",
                resource=("QueueUrl", identity),
                key="",
            ),
            delete=(Call("delete_queue", _QUEUE),),
            missing=_GONE,
            from_id=from_id("url"),
        ),
    ),
    "aws:sqs/queuePolicy:QueuePolicy": _beside(_POLICY),
    "aws:sqs/redrivePolicy:RedrivePolicy": _beside(_REDRIVE),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _beside(_REDRIVE_ALLOW),
}
