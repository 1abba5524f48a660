"""Where alarms are heard: the stack's own encrypted topic, or one that the operator names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from tap_stack.policy_document import deny_plain_transport, document

if TYPE_CHECKING:
    from tap_stack.names import Addresses
    from tap_stack.scope import Scope


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
                    "StringEquals": {"aws:SourceAccount": addresses.place.account},
                    "ArnEquals": {"aws:SourceArn": addresses.alarms},
                },
            },
            deny_plain_transport("sns:Publish", [addresses.alarm_topic]),
        ]
    )


def create_notifications(scope: Scope, key: aws.kms.Key) -> pulumi.Input[str]:
    """Create the topic and its subscription, unless there is one already; return the ARN to notify."""
    existing = scope.settings.notification_topic_arn
    if existing is not None:
        return existing
    topic = aws.sns.Topic(
        scope.logical("alarm-topic"),
        name=scope.names.alarm_topic,
        display_name=f"TAP {scope.names.suffix} alarms",
        kms_master_key_id=key.arn,
        tags=scope.tags,
        opts=scope.child(),
    )
    aws.sns.TopicPolicy(
        scope.logical("alarm-topic-policy"),
        arn=topic.arn,
        policy=scope.addresses.apply(topic_policy),
        opts=scope.child(),
    )
    email = scope.settings.notification_email
    if email is not None:
        aws.sns.TopicSubscription(
            scope.logical("alarm-topic-email"),
            topic=topic.arn,
            protocol="email",
            endpoint=email,
            opts=scope.child(),
        )
    elif scope.settings.deletion_protection:
        pulumi.log.warn(
            f"Nobody hears the alarms of TapStack `{scope.name}`: its topic has no subscription, and data "
            "worth protecting is worth watching. Set notificationEmail or notificationTopicArn.",
            scope.component,
        )
    return topic.arn
