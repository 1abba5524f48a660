"""The Simple Notification Service and the Simple Queue Service, which hold properties as attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tapgate.embedded.aws_provider.description import (
    Call,
    Computed,
    Description,
    Operations,
    PropertyGroup,
    Tagging,
    all_attributes,
    always,
    at,
    attribute_name,
    identity,
    one_attribute,
)
from tapgate.embedded.aws_provider.limits import fifo_name, needs, not_both
from tapgate.embedded.aws_provider.resource_schema import Limit

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.description import Answer, Reader, Source, Subject

_TOPIC: Final[dict[str, Source]] = {"TopicArn": identity}
_FEEDBACK: Final = ("application", "firehose", "http", "lambda", "sqs")
# The text that takes a property away, where that is not the empty one.
_CLEARED: Final = {
    "contentBasedDeduplication": "false",
    "delaySeconds": "0",
    "kmsDataKeyReusePeriodSeconds": "300",
    "rawMessageDelivery": "false",
    "receiveWaitTimeSeconds": "0",
    "sqsManagedSseEnabled": "false",
}
_OF_TOPIC: Final = (
    *("contentBasedDeduplication", "deliveryPolicy", "displayName", "kmsMasterKeyId", "policy"),
    *("signatureVersion", "tracingConfig"),
)
_OF_SUBSCRIPTION: Final = (
    *("deliveryPolicy", "filterPolicy", "filterPolicyScope", "rawMessageDelivery", "redrivePolicy"),
    "subscriptionRoleArn",
)
_OF_QUEUE: Final = (
    *("contentBasedDeduplication", "deduplicationScope", "delaySeconds", "fifoThroughputLimit"),
    *(
        "kmsDataKeyReusePeriodSeconds",
        "kmsMasterKeyId",
        "maxMessageSize",
        "messageRetentionSeconds",
        "policy",
    ),
    *("receiveWaitTimeSeconds", "redriveAllowPolicy", "redrivePolicy", "sqsManagedSseEnabled"),
    "visibilityTimeoutSeconds",
)
_QUEUE_NAMES: Final = {
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}
_QUEUE: Final[dict[str, Source]] = {"QueueUrl": identity}


def _notification_groups(operation: str, attributes: tuple[str, ...]) -> tuple[PropertyGroup, ...]:
    return tuple(
        PropertyGroup(
            Call(
                operation,
                {
                    "AttributeName": always(attribute_name(name, {})),
                    "AttributeValue": one_attribute(name, _CLEARED.get(name, "")),
                },
            ),
            (name,),
        )
        for name in attributes
    )


def _queue_group(name: str) -> PropertyGroup:
    text = one_attribute(name, _CLEARED.get(name, ""))
    member = attribute_name(name, _QUEUE_NAMES)
    attributes = Computed((name,), lambda wanted: {member: text.make(wanted)})
    return PropertyGroup(Call("set_queue_attributes", {"Attributes": attributes}), (name,))


def _last_of_id(separator: str) -> Reader:
    return lambda _answer, subject: subject.id.rpartition(separator)[2]


def _topic_arn(subject: Subject) -> object:
    return subject.arn("sns", str(subject.wanted.get("name")))


def _own_policy(answer: Answer, subject: Subject) -> Answer | None:
    # A topic always has a policy; AWS's own one stands for none.
    policy = at("Attributes.Policy")(answer, subject)
    return None if policy in (None, "") or "__default_policy_ID" in str(policy) else answer


def _of_a_queue(name: str) -> Description:
    """Describe one attribute of a queue as a resource of its own, which bears the queue's URL."""
    member = attribute_name(name, _QUEUE_NAMES)
    return Description(
        replaces={"queueUrl"},
        documents={name},
        operations=Operations(
            key=_QUEUE,
            id=("queueUrl",),
            read=Call(
                "get_queue_attributes",
                {"AttributeNames": always([member])},
                pick=lambda answer, subject: answer if at(f"Attributes.{member}")(answer, subject) else None,
            ),
            root="Attributes",
            property_groups=(_queue_group(name),),
            delete=(Call("set_queue_attributes", {"Attributes": always({member: ""})}),),
            write_only={"queueUrl"},
        ),
    )


DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:sns/topic:Topic": Description(
        replaces={"fifoTopic", "name", "namePrefix"},
        documents={"archivePolicy", "deliveryPolicy", "policy"},
        limits={
            "name": Limit(pattern=r"[0-9A-Za-z_-]{1,256}|[0-9A-Za-z_-]{1,251}\.fifo"),
            "namePrefix": Limit(pattern=r"[0-9A-Za-z_-]{1,230}"),
            "displayName": Limit(max_length=100),
            "fifoThroughputScope": Limit(choices=("MessageGroup", "Topic")),
            "signatureVersion": Limit(minimum=1, maximum=2),
            **{f"{by}SuccessFeedbackSampleRate": Limit(minimum=0, maximum=100) for by in _FEEDBACK},
        },
        rules=(needs("contentBasedDeduplication", "fifoTopic", true=True), fifo_name("fifoTopic")),
        operations=Operations(
            key=_TOPIC,
            create=Call("create_topic", {"Attributes": all_attributes("fifoTopic", *_OF_TOPIC, names={})}),
            answered="TopicArn",
            find=Call(
                "get_topic_attributes",
                {"TopicArn": _topic_arn},
                pick=lambda _answer, subject: {"ids": [_topic_arn(subject)]},
            ),
            must_be_new=True,
            read=Call("get_topic_attributes"),
            root="Attributes",
            readers={"arn": lambda _answer, subject: subject.id, "name": _last_of_id(":")},
            property_groups=_notification_groups("set_topic_attributes", _OF_TOPIC),
            tags=Tagging("list_tags_for_resource", ("ResourceArn", identity)),
            delete=(Call("delete_topic"),),
            id=("arn",),
        ),
    ),
    "aws:sns/topicPolicy:TopicPolicy": Description(
        replaces={"arn"},
        documents={"policy"},
        operations=Operations(
            key=_TOPIC,
            id=("arn",),
            read=Call("get_topic_attributes", pick=_own_policy),
            root="Attributes",
            property_groups=_notification_groups("set_topic_attributes", ("policy",)),
        ),
    ),
    "aws:sns/topicSubscription:TopicSubscription": Description(
        replaces={"endpoint", "protocol", "topic"},
        defaults={"confirmationTimeoutInMinutes": 1},
        documents={"deliveryPolicy", "filterPolicy", "redrivePolicy", "replayPolicy"},
        limits={
            "filterPolicyScope": Limit(choices=("MessageAttributes", "MessageBody")),
            "topic": Limit(form="arn"),
            "protocol": Limit(
                choices=(
                    *("application", "email", "email-json", "firehose", "http", "https", "lambda", "sms"),
                    "sqs",
                )
            ),
        },
        names={"arn": "SubscriptionArn", "ownerId": "Owner", "topic": "TopicArn"},
        operations=Operations(
            key={"SubscriptionArn": identity},
            create=Call(
                "subscribe",
                {
                    "Attributes": all_attributes(*_OF_SUBSCRIPTION, names={}),
                    "ReturnSubscriptionArn": always(value=True),
                },
            ),
            answered="SubscriptionArn",
            read=Call("get_subscription_attributes"),
            root="Attributes",
            readers={"arn": lambda _answer, subject: subject.id},
            property_groups=_notification_groups("set_subscription_attributes", _OF_SUBSCRIPTION),
            delete=(Call("unsubscribe"),),
            id=("arn",),
            write_only={"confirmationTimeoutInMinutes", "endpointAutoConfirms"},
        ),
    ),
    "aws:sqs/queue:Queue": Description(
        replaces={"fifoQueue", "name", "namePrefix"},
        defaults={
            "maxMessageSize": 262144,
            "messageRetentionSeconds": 345600,
            "visibilityTimeoutSeconds": 30,
        },
        documents={"policy", "redriveAllowPolicy", "redrivePolicy"},
        limits={
            "name": Limit(pattern=r"[0-9A-Za-z_-]{1,80}|[0-9A-Za-z_-]{1,75}\.fifo"),
            "namePrefix": Limit(pattern=r"[0-9A-Za-z_-]{1,54}"),
        },
        rules=(
            not_both("kmsMasterKeyId", "sqsManagedSseEnabled"),
            needs("contentBasedDeduplication", "fifoQueue", true=True),
            fifo_name("fifoQueue"),
        ),
        names=_QUEUE_NAMES,
        operations=Operations(
            key=_QUEUE,
            create=Call(
                "create_queue", {"Attributes": all_attributes("fifoQueue", *_OF_QUEUE, names=_QUEUE_NAMES)}
            ),
            answered="QueueUrl",
            find=Call(
                "get_queue_url",
                {"QueueName": lambda subject: subject.wanted.get("name")},
                pick=lambda answer, _subject: {"ids": [answer["QueueUrl"]]},
            ),
            must_be_new=True,
            read=Call("get_queue_attributes", {"AttributeNames": always(["All"])}),
            root="Attributes",
            readers={"name": _last_of_id("/"), "url": lambda _answer, subject: subject.id},
            property_groups=tuple(_queue_group(name) for name in _OF_QUEUE),
            tags=Tagging("list_queue_tags", ("QueueUrl", identity), "tag_queue", "untag_queue"),
            delete=(Call("delete_queue"),),
            id=("url",),
        ),
    ),
    "aws:sqs/queuePolicy:QueuePolicy": _of_a_queue("policy"),
    "aws:sqs/redrivePolicy:RedrivePolicy": _of_a_queue("redrivePolicy"),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _of_a_queue("redriveAllowPolicy"),
}
