"""Simple Notification Service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tapgate.embedded.aws_provider.casing import Attribute, all_given, one_text, reader, truth, whole
from tapgate.embedded.aws_provider.limits import fifo_name, needs
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
    own,
    wanted_name,
)
from tapgate.embedded.aws_provider.resource_schema import Limit
from tapgate.embedded.aws_provider.types.description import Description

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.operations import Answer, Subject
    from tapgate.embedded.aws_provider.values import Value

_TOPIC: dict[str, Source] = {"TopicArn": identity}
_FEEDBACK = ("application", "firehose", "http", "lambda", "sqs")
_GONE = frozenset({"NotFound", "NotFoundException"})
_FIFO = Attribute("fifoTopic", read=truth)
_POLICY = Attribute("policy")
_CHANGEABLE = (
    Attribute("contentBasedDeduplication", read=truth, cleared="false"),
    Attribute("deliveryPolicy"),
    Attribute("displayName"),
    Attribute("kmsMasterKeyId"),
    _POLICY,
    Attribute("signatureVersion", read=whole),
    Attribute("tracingConfig"),
)
_SUBSCRIPTION: dict[str, Source] = {"SubscriptionArn": identity}
_SUBSCRIBED = (
    Attribute("deliveryPolicy"),
    Attribute("filterPolicy"),
    Attribute("filterPolicyScope"),
    Attribute("rawMessageDelivery", read=truth, cleared="false"),
    Attribute("redrivePolicy"),
    Attribute("subscriptionRoleArn"),
)


def _topic_group(attribute: Attribute) -> PropertyGroup:
    return PropertyGroup(
        (attribute.property,),
        Call(
            "set_topic_attributes",
            {**_TOPIC, "AttributeName": Constant(attribute.name), "AttributeValue": one_text(attribute)},
        ),
        found={attribute.property: reader(attribute)},
    )


def _subscription_group(attribute: Attribute) -> PropertyGroup:
    return PropertyGroup(
        (attribute.property,),
        Call(
            "set_subscription_attributes",
            {
                **_SUBSCRIPTION,
                "AttributeName": Constant(attribute.name),
                "AttributeValue": one_text(attribute),
            },
        ),
        found={attribute.property: reader(attribute)},
    )


def _arn(subject: Subject) -> object:
    return f"arn:aws:sns:{subject.region}:{subject.account}:{subject.wanted.get('name')}"


def _name(_answer: Answer, subject: Subject) -> Value:
    return subject.id.rpartition(":")[2]


def _own_policy(answer: Answer, subject: Subject) -> Answer | None:
    # A topic always has a policy; AWS's own one stands for none.
    policy = reader(_POLICY)(answer, subject)
    return None if policy is None or "__default_policy_ID" in str(policy) else answer


DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:sns/topic:Topic": Description(
        replaces=frozenset({"fifoTopic", "name", "namePrefix"}),
        documents=frozenset({"archivePolicy", "deliveryPolicy", "policy"}),
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
            service="sns",
            create=Call("create_topic", {**own("name"), "Attributes": all_given(_FIFO, *_CHANGEABLE)}),
            create_tags="Tags",
            name=named("TopicArn"),
            find=Call(
                "get_topic_attributes",
                {"TopicArn": _arn},
                pick=lambda _answer, subject: {"ids": [_arn(subject)]},
            ),
            must_be_new=True,
            read=Call("get_topic_attributes", _TOPIC),
            found={
                "arn": reader(Attribute("arn", "TopicArn")),
                "fifoTopic": reader(_FIFO),
                "name": _name,
                "owner": reader(Attribute("owner")),
            },
            property_groups=tuple(_topic_group(attribute) for attribute in _CHANGEABLE),
            tags=Tagging(
                read="list_tags_for_resource",
                path="Tags",
                tag="tag_resource",
                untag="untag_resource",
                resource=("ResourceArn", identity),
            ),
            delete=(Call("delete_topic", _TOPIC),),
            missing=_GONE,
            from_id=from_id("arn"),
        ),
    ),
    "aws:sns/topicPolicy:TopicPolicy": Description(
        replaces=frozenset({"arn"}),
        documents=frozenset({"policy"}),
        operations=Operations(
            service="sns",
            name=wanted_name("arn"),
            read=Call("get_topic_attributes", _TOPIC, pick=_own_policy),
            found={"arn": reader(Attribute("arn", "TopicArn")), "owner": reader(Attribute("owner"))},
            property_groups=(_topic_group(_POLICY),),
            missing=_GONE,
            from_id=from_id("arn"),
            write_only=frozenset({"arn"}),
        ),
    ),
    "aws:sns/topicSubscription:TopicSubscription": Description(
        replaces=frozenset({"endpoint", "protocol", "topic"}),
        defaults={"confirmationTimeoutInMinutes": 1},
        documents=frozenset({"deliveryPolicy", "filterPolicy", "redrivePolicy", "replayPolicy"}),
        limits={
            "filterPolicyScope": Limit(choices=("MessageAttributes", "MessageBody")),
            "topic": Limit(form="arn"),
            "protocol": Limit(
                choices=(
                    "application",
                    "email",
                    "email-json",
                    "firehose",
                    "http",
                    "https",
                    "lambda",
                    "sms",
                    "sqs",
                )
            ),
        },
        operations=Operations(
            service="sns",
            create=Call(
                "subscribe",
                {
                    "TopicArn": Wanted("topic"),
                    **own("protocol", "endpoint"),
                    "Attributes": all_given(*_SUBSCRIBED),
                    "ReturnSubscriptionArn": Constant(value=True),
                },
            ),
            name=named("SubscriptionArn"),
            read=Call("get_subscription_attributes", _SUBSCRIPTION),
            found={
                "arn": lambda _answer, subject: subject.id,
                "confirmationWasAuthenticated": reader(Attribute("confirmationWasAuthenticated", read=truth)),
                "endpoint": reader(Attribute("endpoint")),
                "ownerId": reader(Attribute("ownerId", "Owner")),
                "pendingConfirmation": reader(Attribute("pendingConfirmation", read=truth)),
                "protocol": reader(Attribute("protocol")),
                "topic": reader(Attribute("topic", "TopicArn")),
            },
            property_groups=tuple(_subscription_group(attribute) for attribute in _SUBSCRIBED),
            delete=(Call("unsubscribe", _SUBSCRIPTION),),
            missing=_GONE,
            from_id=from_id("arn"),
            write_only=frozenset({"confirmationTimeoutInMinutes", "endpointAutoConfirms"}),
        ),
    ),
}
