"""The table of what is known about each item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_aws as aws

if TYPE_CHECKING:
    from tap_stack.context import Context

RECOVERY_DAYS = 35
"""The longest that DynamoDB keeps for point-in-time recovery."""


def create_metadata_table(context: Context, key: aws.kms.Key) -> aws.dynamodb.Table:
    """Create the table: items by `id`, their states by `timestamp`."""
    return aws.dynamodb.Table(
        context.logical("metadata-table"),
        name=context.names.metadata_table,
        hash_key="id",
        range_key="timestamp",
        attributes=[{"name": "id", "type": "S"}, {"name": "timestamp", "type": "N"}],
        billing_mode="PAY_PER_REQUEST",
        point_in_time_recovery={"enabled": True, "recovery_period_in_days": RECOVERY_DAYS},
        server_side_encryption={"enabled": True, "kms_key_arn": key.arn},
        deletion_protection_enabled=context.settings.deletion_protection,
        tags=context.tags,
        opts=context.child(holds_data=True),
    )
