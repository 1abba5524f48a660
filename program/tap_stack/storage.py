"""Where items are kept: the bucket (`incoming/` as they arrive, `processed/` as they leave) and the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_aws as aws

from tap_stack.names import METADATA_TABLE
from tap_stack.policy_document import deny_insecure_transport, document

if TYPE_CHECKING:
    from tap_stack.context import Context
    from tap_stack.names import Addresses

OLD_VERSIONS_DAYS = 30
"""How long a replaced or deleted object can still be brought back."""
INCOMPLETE_UPLOADS_DAYS = 7


def bucket_policy(addresses: Addresses) -> str:
    """Return the bucket's policy: TLS 1.2 or later, and no object encrypted otherwise than with KMS."""
    objects = f"{addresses.bucket}/*"
    return document(
        [
            deny_insecure_transport("s3:*", [addresses.bucket, objects]),
            {
                "Sid": "DenyOldTransport",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [addresses.bucket, objects],
                "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
            },
            {
                # An upload that asks for nothing gets the bucket's key; one that asks for less is refused.
                "Sid": "DenyOtherEncryption",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": objects,
                "Condition": {
                    "StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"},
                    "Null": {"s3:x-amz-server-side-encryption": "false"},
                },
            },
        ]
    )


def create_data_bucket(context: Context, key: aws.kms.Key) -> aws.s3.Bucket:
    """Create the bucket and everything that belongs to it."""
    bucket = aws.s3.Bucket(
        context.logical("data-bucket"),
        bucket=context.addresses.apply(lambda addresses: addresses.bucket_name),
        force_destroy=context.settings.force_destroy,
        tags=context.tags,
        opts=context.child(holds_data=True),
    )
    aws.s3.BucketOwnershipControls(
        context.logical("data-bucket-ownership"),
        bucket=bucket.bucket,
        rule={"object_ownership": "BucketOwnerEnforced"},
        opts=context.child(),
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        context.logical("data-bucket-encryption"),
        bucket=bucket.bucket,
        rules=[
            {
                "apply_server_side_encryption_by_default": {
                    "sse_algorithm": "aws:kms",
                    "kms_master_key_id": key.arn,
                },
                "bucket_key_enabled": True,
            }
        ],
        opts=context.child(),
    )
    versioning = aws.s3.BucketVersioning(
        context.logical("data-bucket-versioning"),
        bucket=bucket.bucket,
        versioning_configuration={"status": "Enabled"},
        opts=context.child(),
    )
    public_access = aws.s3.BucketPublicAccessBlock(
        context.logical("data-bucket-public-access"),
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=context.child(),
    )
    aws.s3.BucketPolicy(
        context.logical("data-bucket-policy"),
        bucket=bucket.bucket,
        policy=context.addresses.apply(bucket_policy),
        # S3 refuses two conditional changes of one bucket's access at the same time.
        opts=context.child(depends_on=[public_access]),
    )
    aws.s3.BucketLifecycleConfiguration(
        context.logical("data-bucket-lifecycle"),
        bucket=bucket.bucket,
        rules=[
            {
                "id": "old-versions",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "noncurrent_version_expiration": {"noncurrent_days": OLD_VERSIONS_DAYS},
                "expiration": {"expired_object_delete_marker": True},
            },
            {
                "id": "incomplete-uploads",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "abort_incomplete_multipart_upload": {"days_after_initiation": INCOMPLETE_UPLOADS_DAYS},
            },
        ],
        # Old versions exist once versioning is on.
        opts=context.child(depends_on=[versioning]),
    )
    return bucket


RECOVERY_DAYS = 35
"""The longest that DynamoDB keeps for point-in-time recovery."""


def create_metadata_table(context: Context, key: aws.kms.Key) -> aws.dynamodb.Table:
    """Create the table: items by `id`, their states by `timestamp`."""
    return aws.dynamodb.Table(
        context.logical("metadata-table"),
        name=context.names.of(METADATA_TABLE),
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
