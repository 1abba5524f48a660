"""Where alarms are heard: the stack's own encrypted topic, or one that the operator names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from tap_stack.policy_document import deny_plain_transport, document

if TYPE_CHECKING:
    from tap_stack.context import Context
    from tap_stack.names import Addresses


def topic_policy(addresses: Addresses) -> str:
    """Return the topic's policy: this stack's alarms publish, and nothing outside TLS.

    The account's own principals need no statement: their IAM policies suffice within the account.
    """
    return document(
        [
            {
                "Sid": "AlarmsPublish",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": addresses.alarm_topic,
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": addresses.location.account},
                    "ArnEquals": {"aws:SourceArn": addresses.alarms},
                },
            },
            deny_plain_transport("sns:Publish", [addresses.alarm_topic]),
        ]
    )


def create_notifications(context: Context, key: aws.kms.Key) -> pulumi.Input[str]:
    """Create the topic and its subscription, unless there is one already; return the ARN to notify."""
    existing = context.settings.notification_topic_arn
    if existing is not None:
        return existing
    topic = aws.sns.Topic(
        context.logical("alarm-topic"),
        name=context.names.alarm_topic,
        display_name=f"TAP {context.names.suffix} alarms",
        kms_master_key_id=key.arn,
        tags=context.tags,
        opts=context.child(),
    )
    aws.sns.TopicPolicy(
        context.logical("alarm-topic-policy"),
        arn=topic.arn,
        policy=context.addresses.apply(topic_policy),
        opts=context.child(),
    )
    email = context.settings.notification_email
    if email is not None:
        aws.sns.TopicSubscription(
            context.logical("alarm-topic-email"),
            topic=topic.arn,
            protocol="email",
            endpoint=email,
            opts=context.child(),
        )
    elif context.settings.deletion_protection:
        pulumi.log.warn(
            f"The alarms of TapStack `{context.name}` notify no one: its topic has no subscription, and data "
            "worth protecting is worth watching. Set notificationEmail or notificationTopicArn.",
            context.parent,
        )
    return topic.arn
