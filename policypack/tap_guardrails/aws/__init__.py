"""AWS's resources under every type token that providers give them, and the keys that encrypt them.

The first token of a type is pulumi-aws's today; its property names are the ones that rules use. The
`aws-native:` tokens are those of Pulumi's Cloud Control provider, whose properties follow CloudFormation.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from tap_guardrails.model import (
    Absent,
    Enum,
    Invalid,
    Known,
    Outcome,
    PropertyRef,
    PropertyValue,
    Resource,
    ResourceType,
    Stack,
    Unknown,
    as_set,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

KEY: Final = ResourceType(
    "KMS key",
    {
        "aws:kms/key:Key": {},
        "aws-native:kms:Key": {"customerMasterKeySpec": "keySpec"},
    },
)

FUNCTION: Final = ResourceType(
    "Lambda function",
    {
        "aws:lambda/function:Function": {},
        "aws-native:lambda:Function": {"name": "functionName"},
    },
)

LOG_GROUP: Final = ResourceType(
    "log group",
    {
        "aws:cloudwatch/logGroup:LogGroup": {},
        "aws-native:logs:LogGroup": {"name": "logGroupName"},
    },
)

TABLE: Final = ResourceType(
    "DynamoDB table",
    {
        "aws:dynamodb/table:Table": {},
        "aws-native:dynamodb:Table": {"name": "tableName"},
        "aws-native:dynamodb:GlobalTable": {"name": "tableName"},
    },
)

TABLE_REPLICA: Final = ResourceType("DynamoDB table replica", {"aws:dynamodb/tableReplica:TableReplica": {}})

QUEUE: Final = ResourceType(
    "SQS queue",
    {
        "aws:sqs/queue:Queue": {},
        "aws-native:sqs:Queue": {"name": "queueName"},
    },
)

METRIC_ALARM: Final = ResourceType(
    "CloudWatch alarm",
    {
        "aws:cloudwatch/metricAlarm:MetricAlarm": {},
        "aws-native:cloudwatch:Alarm": {"name": "alarmName", "metricQueries": "metrics"},
    },
)

COMPOSITE_ALARM: Final = ResourceType(
    "composite CloudWatch alarm",
    {
        "aws:cloudwatch/compositeAlarm:CompositeAlarm": {"name": "alarmName"},
        "aws-native:cloudwatch:CompositeAlarm": {"name": "alarmName"},
    },
)

BUCKET: Final = ResourceType(
    "S3 bucket",
    {
        "aws:s3/bucket:Bucket": {},
        "aws:s3/bucketV2:BucketV2": {
            "serverSideEncryptionConfiguration": "serverSideEncryptionConfigurations",
            "versioning": "versionings",
        },
        "aws-native:s3:Bucket": {
            "bucket": "bucketName",
            "serverSideEncryptionConfiguration": "bucketEncryption",
            "versioning": "versioningConfiguration",
        },
    },
    name_property="bucket",
)

BUCKET_VERSIONING: Final = ResourceType(
    "BucketVersioning",
    {
        "aws:s3/bucketVersioning:BucketVersioning": {},
        "aws:s3/bucketVersioningV2:BucketVersioningV2": {},
    },
)

BUCKET_ENCRYPTION: Final = ResourceType(
    "BucketServerSideEncryptionConfiguration",
    {
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {},
        "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": {},
    },
)

PUBLIC_ACCESS_BLOCK: Final = ResourceType(
    "BucketPublicAccessBlock", {"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {}}
)

ACCOUNT_PUBLIC_ACCESS_BLOCK: Final = ResourceType(
    "AccountPublicAccessBlock", {"aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock": {}}
)

BUCKET_POLICY: Final = ResourceType(
    "BucketPolicy",
    {
        "aws:s3/bucketPolicy:BucketPolicy": {},
        "aws-native:s3:BucketPolicy": {"policy": "policyDocument"},
    },
)

EVENT_SOURCE: Final = ResourceType(
    "EventSourceMapping",
    {
        "aws:lambda/eventSourceMapping:EventSourceMapping": {},
        "aws-native:lambda:EventSourceMapping": {},
    },
)

ASYNC_CONFIG: Final = ResourceType(
    "FunctionEventInvokeConfig",
    {
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": {},
        "aws-native:lambda:EventInvokeConfig": {},
    },
)

PERMISSION: Final = ResourceType(
    "Permission",
    {
        "aws:lambda/permission:Permission": {},
        "aws-native:lambda:Permission": {"function": "functionName"},
    },
)

FUNCTION_URL: Final = ResourceType(
    "FunctionUrl",
    {
        "aws:lambda/functionUrl:FunctionUrl": {},
        "aws-native:lambda:Url": {"functionName": "targetFunctionArn"},
    },
)

REDRIVE_POLICY: Final = ResourceType("RedrivePolicy", {"aws:sqs/redrivePolicy:RedrivePolicy": {}})

TOPIC: Final = ResourceType(
    "SNS topic",
    {
        "aws:sns/topic:Topic": {},
        "aws-native:sns:Topic": {"name": "topicName"},
    },
)

TOPIC_POLICY: Final = ResourceType(
    "SNS topic policy",
    {
        "aws:sns/topicPolicy:TopicPolicy": {},
        "aws-native:sns:TopicInlinePolicy": {"arn": "topicArn", "policy": "policyDocument"},
        "aws-native:sns:TopicPolicy": {"arn": "topics", "policy": "policyDocument"},
    },
)

SUBSCRIPTION: Final = ResourceType(
    "SNS subscription",
    {
        "aws:sns/topicSubscription:TopicSubscription": {},
        "aws-native:sns:Subscription": {"topic": "topicArn"},
    },
)

CHAT: Final = ResourceType(
    "chat configuration",
    {
        "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": {},
        "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration": {},
        "aws-native:chatbot:SlackChannelConfiguration": {},
        "aws-native:chatbot:MicrosoftTeamsChannelConfiguration": {},
    },
)

MUTE_RULE: Final = ResourceType(
    "alarm mute rule",
    {"aws:cloudwatch/alarmMuteRule:AlarmMuteRule": {}, "aws-native:cloudwatch:AlarmMuteRule": {}},
)

STACK_SET: Final = ResourceType(
    "CloudFormation stack set",
    {
        "aws:cloudformation/stackSet:StackSet": {},
        "aws-native:cloudformation:StackSet": {"name": "stackSetName"},
    },
)

NATIVE_BUCKET: Final = "aws-native:s3:Bucket"
"""CloudFormation's bucket, which has all its settings on itself but the policy."""

CLASSIC_NAMES: Final = {
    "cloudwatch:loggroup": "logs:loggroup",
    "cloudwatch:metricalarm": "cloudwatch:alarm",
    "cloudwatch:eventbus": "events:eventbus",
    "cloudwatch:eventrule": "events:rule",
    "iam:policy": "iam:managedpolicy",
    "lambda:functioneventinvokeconfig": "lambda:eventinvokeconfig",
    "lambda:functionurl": "lambda:url",
    "sns:topicsubscription": "sns:subscription",
}
"""What pulumi-aws calls otherwise than CloudFormation, as `bare_name` writes both."""


@cache
def bare_name(token: str) -> str:
    """Return what a type is called whichever provider makes it, or nothing when it is not AWS's."""
    package, _, rest = token.partition(":")
    service, _, name = rest.partition(":")
    if package not in {"aws", "aws-native"} or not name:
        return ""
    bare = f"{service.partition('/')[0]}:{name.removesuffix('V2')}".casefold()
    return CLASSIC_NAMES.get(bare, bare) if package == "aws" else bare


@cache
def twin(token: str, types: frozenset[str]) -> str:
    """Return the type among some that is the same resource under another token; nothing when none is."""
    name = bare_name(token)
    return next((one for one in sorted(types) if name and bare_name(one) == name and one != token), "")


CUSTOMER: Final = "customer"
AWS: Final = "aws"

KEY_SETTING: Final = Enum(
    "key",
    CUSTOMER,
    "Whose key: `customer` wants a KMS key of your own, `aws` also takes one that AWS manages.",
    (CUSTOMER, AWS),
)

KEY_TYPES: Final = (
    *KEY.types,
    "aws:kms/alias:Alias",
    "aws:kms/externalKey:ExternalKey",
    "aws:kms/replicaExternalKey:ReplicaExternalKey",
    "aws:kms/replicaKey:ReplicaKey",
    "aws-native:kms:Alias",
    "aws-native:kms:ReplicaKey",
)
"""Whatever names a customer's key; an alias that a program makes cannot begin with `alias/aws/`."""

AWS_ALIAS: Final = re.compile(r"(^|:)alias/aws/")

CUSTOMER_KEY: Final = "the ARN, id or alias of a KMS key of your own"
ANY_KEY: Final = "the ARN, id or alias of a KMS key, yours or one that AWS manages"


def named_key(owner: Resource, stack: Stack, ref: PropertyRef, whose: str = CUSTOMER) -> Iterator[Outcome]:
    """Require that a property names a KMS key; an unknown one has to be made from some key.

    Args:
        owner: The resource whose data the key encrypts.
        stack: Its stack.
        ref: The property.
        whose: `CUSTOMER` or `AWS`, as in `KEY_SETTING`.
    """
    required = CUSTOMER_KEY if whose == CUSTOMER else ANY_KEY
    match as_set(owner, ref).text():
        case Known(name) if whose == AWS or not AWS_ALIAS.search(name):
            return
        case Known() as prop:
            yield prop.violation("The key is one that AWS manages.", required)
        case Invalid() as prop:
            yield prop.invalid(required)
        case Unknown() as prop:
            if not stack.dependencies_of(owner, ref.top, KEY_TYPES):
                yield prop.undecided(required)
        case prop:
            yield prop.violation(
                "No key of your own is named." if whose == CUSTOMER else "No key is named.", required
            )


def evaluate_each(
    prop: PropertyValue[list[PropertyRef]],
    evaluate: Callable[[PropertyRef], Iterable[Outcome]],
    *,
    required: str,
    absent: str = "",
) -> Iterator[Outcome]:
    """Evaluate each element of a list; a list that cannot be read is a finding itself.

    Args:
        prop: The list as it was read.
        evaluate: Evaluates one element.
        required: What has to stand there.
        absent: What is wrong when there is no list; empty when nothing is.
    """
    match prop:
        case Known(refs):
            for ref in refs:
                yield from evaluate(ref)
        case Unknown() | Invalid():
            yield from prop.unsettled(required)
        case Absent():
            if absent:
                yield prop.violation(absent, required)
