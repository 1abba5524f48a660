"""The key that encrypts everything at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_aws as aws

from tap_stack.policy_document import Statement, document

if TYPE_CHECKING:
    import pulumi

    from tap_stack.context import Context
    from tap_stack.names import Addresses

THIS_KEY = "*"
"""In a key's own policy the resource `*` is that key and nothing else."""


def key_policy(addresses: Addresses, *, alarms_publish: bool) -> str:
    """Return the key's policy.

    DynamoDB, S3 and SQS have no statement of their own: they use the key in the name of whoever calls
    them. So each function's role is let in by way of these services, and only these.

    Args:
        addresses: Where the stack is.
        alarms_publish: The alarm topic is the stack's own, so CloudWatch has to encrypt for it.
    """
    statements: list[Statement] = [
        {
            # Hands the key over to the account's IAM policies; without it a key can become unmanageable.
            # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
            "Sid": "AccountAdministersKey",
            "Effect": "Allow",
            "Principal": {"AWS": addresses.account_root},
            "Action": "kms:*",
            "Resource": THIS_KEY,
        },
        {
            "Sid": "FunctionsUseKeyThroughServices",
            "Effect": "Allow",
            "Principal": {"AWS": [addresses.role("api-handler"), addresses.role("processor")]},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": THIS_KEY,
            "Condition": {
                "StringEquals": {
                    "kms:ViaService": [addresses.via(service) for service in ("dynamodb", "s3", "sqs")]
                }
            },
        },
        {
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
            "Sid": "LogGroupsOfFunctions",
            "Effect": "Allow",
            "Principal": {"Service": f"logs.{addresses.location.region}.amazonaws.com"},
            "Action": [
                "kms:Encrypt*",
                "kms:Decrypt*",
                "kms:ReEncrypt*",
                "kms:GenerateDataKey*",
                "kms:Describe*",
            ],
            "Resource": THIS_KEY,
            "Condition": {
                "ArnEquals": {
                    "kms:EncryptionContext:aws:logs:arn": [
                        addresses.log_group("api-handler"),
                        addresses.log_group("processor"),
                    ]
                }
            },
        },
    ]
    if alarms_publish:
        statements.append(
            {
                # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
                "Sid": "AlarmsEncryptNotifications",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                "Resource": THIS_KEY,
                "Condition": {"StringEquals": {"aws:SourceAccount": addresses.location.account}},
            }
        )
    return document(statements)


def create_encryption_key(context: Context, roles: list[pulumi.Resource]) -> aws.kms.Key:
    """Create the key and its alias.

    Args:
        context: The component.
        roles: The roles that the policy names; KMS refuses a policy that names a role it cannot find.
    """
    own_topic = context.settings.notification_topic_arn is None
    key = aws.kms.Key(
        context.logical("key"),
        description=f"Encrypts the data, queues, logs and notifications of TAP {context.names.suffix}",
        enable_key_rotation=True,
        rotation_period_in_days=365,
        deletion_window_in_days=30 if context.settings.deletion_protection else 7,
        policy=context.addresses.apply(lambda addresses: key_policy(addresses, alarms_publish=own_topic)),
        tags=context.tags,
        opts=context.child(depends_on=roles, holds_data=True),
    )
    aws.kms.Alias(
        context.logical("key-alias"),
        name=context.addresses.apply(lambda addresses: addresses.key_alias),
        target_key_id=key.key_id,
        opts=context.child(),
    )
    return key
