"""One resource of each type that the TAP stack uses, in three versions.

The second version changes of each what pulumi-aws updates in place, the third what it replaces; the
configuration `version` says which one is wanted.
"""

from __future__ import annotations

import json
from typing import TypeVar

import pulumi
import pulumi_aws as aws

T = TypeVar("T")
VERSION = pulumi.Config().require_int("version")


def updated(first: T, then: T) -> T:
    """Return the first value, and the other one from the second version on."""
    return then if VERSION >= 2 else first


def replaced(first: T, then: T) -> T:
    """Return the first value, and the other one in the third version."""
    return then if VERSION >= 3 else first


def policy(principal: str, action: str, resource: str | None = None) -> str:
    """Write a policy document with one statement."""
    statement = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": action}
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{**statement, **({"Resource": resource} if resource else {})}],
        }
    )


def principal() -> str:
    """Return the service that policies name: which one it is is what changes."""
    return updated("lambda.amazonaws.com", "sns.amazonaws.com")


key = aws.kms.Key(
    "key",
    description=updated("one", "two"),
    customer_master_key_spec=replaced("SYMMETRIC_DEFAULT", "HMAC_256"),
    key_usage=replaced("ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC"),
)
other_key = aws.kms.Key(
    "other-key",
    description=updated("three", "four"),
    customer_master_key_spec=replaced("SYMMETRIC_DEFAULT", "HMAC_256"),
    key_usage=replaced("ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC"),
)
aws.kms.Alias(
    "alias",
    name=replaced("alias/one", "alias/two"),
    target_key_id=updated(key.key_id, other_key.key_id),
)

bucket = aws.s3.Bucket(
    "bucket", bucket=replaced("every-type-one", "every-type-two"), tags={"is": updated("1", "2")}
)
aws.s3.BucketOwnershipControls(
    "ownership",
    bucket=bucket.bucket,
    rule={"object_ownership": updated("BucketOwnerEnforced", "BucketOwnerPreferred")},
)
aws.s3.BucketServerSideEncryptionConfiguration(
    "encryption",
    bucket=bucket.bucket,
    rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": updated("AES256", "aws:kms")}}],
)
aws.s3.BucketVersioning(
    "versioning", bucket=bucket.bucket, versioning_configuration={"status": updated("Suspended", "Enabled")}
)
aws.s3.BucketPublicAccessBlock(
    "access", bucket=bucket.bucket, block_public_acls=updated(first=False, then=True)
)
aws.s3.BucketPolicy(
    "bucket-policy",
    bucket=bucket.bucket,
    policy=bucket.arn.apply(lambda arn: policy(principal(), "s3:GetObject", f"{arn}/*")),
)
aws.s3.BucketLifecycleConfiguration(
    "lifecycle",
    bucket=bucket.bucket,
    rules=[
        {
            "id": "old",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "noncurrent_version_expiration": {"noncurrent_days": updated(30, 60)},
        }
    ],
)

aws.dynamodb.Table(
    "table",
    name=replaced("every-type-one", "every-type-two"),
    billing_mode="PAY_PER_REQUEST",
    hash_key="id",
    attributes=[{"name": "id", "type": "S"}],
    point_in_time_recovery={"enabled": updated(first=False, then=True)},
)

queue = aws.sqs.Queue(
    "queue", name=replaced("every-type-one", "every-type-two"), visibility_timeout_seconds=updated(30, 60)
)
dead = aws.sqs.Queue(
    "dead",
    name=replaced("every-type-dead", "every-type-dead-two"),
    message_retention_seconds=updated(60, 120),
)
aws.sqs.QueuePolicy(
    "queue-policy",
    queue_url=queue.url,
    policy=queue.arn.apply(lambda arn: policy(principal(), "sqs:SendMessage", arn)),
)
aws.sqs.RedriveAllowPolicy(
    "redrive-allow",
    queue_url=dead.url,
    redrive_allow_policy=json.dumps({"redrivePermission": updated("denyAll", "allowAll")}),
)

topic = aws.sns.Topic(
    "topic", name=replaced("every-type-one", "every-type-two"), display_name=updated("one", "two")
)
aws.sns.TopicPolicy(
    "topic-policy", arn=topic.arn, policy=topic.arn.apply(lambda arn: policy(principal(), "sns:Publish", arn))
)
aws.sns.TopicSubscription(
    "subscription",
    topic=topic.arn,
    protocol="sqs",
    endpoint=queue.arn,
    raw_message_delivery=updated(first=False, then=True),
)

role = aws.iam.Role(
    "role",
    name=replaced("every-type-one", "every-type-two"),
    description=updated("one", "two"),
    assume_role_policy=policy("lambda.amazonaws.com", "sts:AssumeRole"),
)
aws.iam.RolePolicy(
    "role-policy",
    role=role.name,
    name=replaced("one", "two"),
    policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": updated("s3:GetObject", "s3:PutObject"), "Resource": "*"}
            ],
        }
    ),
)
aws.cloudwatch.LogGroup(
    "log-group", name=replaced("/every-type/one", "/every-type/two"), retention_in_days=updated(7, 14)
)
aws.cloudwatch.MetricAlarm(
    "alarm",
    name=replaced("every-type-one", "every-type-two"),
    namespace="AWS/SQS",
    metric_name="ApproximateNumberOfMessagesVisible",
    dimensions={"QueueName": "every-type"},
    statistic="Maximum",
    period=300,
    evaluation_periods=1,
    threshold=updated(0, 1),
    comparison_operator="GreaterThanThreshold",
    alarm_actions=[topic.arn],
)

function = aws.lambda_.Function(
    "function",
    name=replaced("every-type-one", "every-type-two"),
    role=role.arn,
    runtime="python3.13",
    handler="app.handler",
    code=pulumi.AssetArchive(
        {"app.py": pulumi.StringAsset("def handler(event, context):\n    return 200\n")}
    ),
    timeout=updated(3, 4),
)
aws.lambda_.FunctionUrl(
    "url",
    function_name=function.name,
    authorization_type="AWS_IAM",
    invoke_mode=updated("BUFFERED", "RESPONSE_STREAM"),
)
aws.lambda_.EventSourceMapping(
    "source", function_name=function.name, event_source_arn=queue.arn, batch_size=updated(10, 5)
)
aws.lambda_.FunctionEventInvokeConfig(
    "retries", function_name=function.name, maximum_retry_attempts=updated(0, 1)
)
