"""The component as a whole."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, cast

import pytest
from pulumi.runtime import rpc

import tap_stack
from tap_stack import InvalidTapStackArgs
from tests.program.recording import ACCOUNT, OUTPUTS, REGION, Recording, declare

if TYPE_CHECKING:
    from collections.abc import Iterator

UNTAGGABLE = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": False,
    "aws:iam/rolePolicy:RolePolicy": True,
    "aws:kms/alias:Alias": True,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": True,
    "aws:lambda/functionUrl:FunctionUrl": True,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": True,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": True,
    "aws:s3/bucketPolicy:BucketPolicy": True,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": True,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": True,
    "aws:s3/bucketVersioning:BucketVersioning": True,
    "aws:sns/topicPolicy:TopicPolicy": True,
    "aws:sns/topicSubscription:TopicSubscription": True,
    "aws:sqs/queuePolicy:QueuePolicy": True,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": True,
}


def test_exactly_these_resources(production: Recording) -> None:
    assert Counter(declared.type for declared in production.resources.values()) == {
        "tap:index:TapStack": 1,
        "aws:cloudwatch/logGroup:LogGroup": 2,
        "aws:cloudwatch/metricAlarm:MetricAlarm": 7,
        "aws:dynamodb/table:Table": 1,
        "aws:iam/role:Role": 2,
        "aws:iam/rolePolicy:RolePolicy": 2,
        "aws:kms/alias:Alias": 1,
        "aws:kms/key:Key": 1,
        "aws:lambda/eventSourceMapping:EventSourceMapping": 1,
        "aws:lambda/function:Function": 2,
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": 2,
        "aws:lambda/functionUrl:FunctionUrl": 1,
        "aws:s3/bucket:Bucket": 1,
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": 1,
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls": 1,
        "aws:s3/bucketPolicy:BucketPolicy": 1,
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 1,
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": 1,
        "aws:s3/bucketVersioning:BucketVersioning": 1,
        "aws:sns/topic:Topic": 1,
        "aws:sns/topicPolicy:TopicPolicy": 1,
        "aws:sns/topicSubscription:TopicSubscription": 1,
        "aws:sqs/queue:Queue": 3,
        "aws:sqs/queuePolicy:QueuePolicy": 3,
        "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": 1,
    }


def test_outputs(deployed: Recording) -> None:
    assert deployed.outputs == {
        "kmsKeyId": "0123-abcd",
        "dataBucketName": f"tap-data-dev-{ACCOUNT}-{REGION}",
        "metadataTableName": "tap-metadata-dev",
        "apiHandlerArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tap-api-handler-dev",
        "processorArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tap-processor-dev",
        "workQueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/tap-work-dev",
        "dlqUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/tap-dlq-dev",
        "apiUrl": "https://abc.lambda-url.eu-west-2.on.aws/",
        "notificationTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:tap-alarms-dev",
    }
    assert set(deployed.outputs) == set(OUTPUTS)


def test_everything_taggable_carries_the_tags() -> None:
    recording = declare({"tags": {"Team": "tap"}, "notification_email": "ops@example.com"})
    tags = {"Project": "tap-stack", "Environment": "dev", "ManagedBy": "Pulumi", "Team": "tap"}
    for declared in recording.resources.values():
        if declared.type != "tap:index:TapStack" and not UNTAGGABLE.get(declared.type, False):
            assert declared.inputs["tags"] == tags, declared.name


def test_every_resource_is_the_component_s_child(deployed: Recording) -> None:
    children = [declared for name, declared in deployed.resources.items() if name != "tap"]
    assert all(child.parent == "tap" and child.name.startswith("tap-") for child in children)


def test_two_stacks_live_side_by_side() -> None:
    blue = declare({"environment_suffix": "blue"}, name="blue")
    green = declare({"environment_suffix": "green"}, name="green")
    assert not blue.resources.keys() & green.resources.keys()


def test_the_stack_s_name_names_the_environment() -> None:
    recording = declare(stack="TapStackpr12")
    assert recording.outputs["metadataTableName"] == "tap-metadata-pr12"


def test_the_partition_is_the_provider_s() -> None:
    recording = declare(partition="aws-us-gov")
    policy = str(recording.one("aws:s3/bucketPolicy:BucketPolicy").inputs["policy"])
    assert "arn:aws-us-gov:s3:::" in policy
    assert '"arn:aws:' not in policy


def test_account_region_and_partition_are_looked_up(deployed: Recording) -> None:
    assert deployed.lookups == {
        "aws:index/getCallerIdentity:getCallerIdentity",
        "aws:index/getRegion:getRegion",
        "aws:index/getPartition:getPartition",
    }


def unknowns(recording: Recording) -> Iterator[tuple[str, str]]:
    for declared in recording.resources.values():
        for name, value in declared.inputs.items():
            if contains_unknown(value):
                yield declared.type.rsplit(":", 1)[1], name


def contains_unknown(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(contains_unknown, cast("dict[str, object]", value).values()))
    if isinstance(value, list):
        return any(map(contains_unknown, cast("list[object]", value)))
    return rpc.contains_unknowns(value)


def test_a_preview_leaves_open_only_what_aws_assigns(previewed: Recording) -> None:
    assert set(unknowns(previewed)) == {
        ("Alias", "targetKeyId"),
        ("BucketServerSideEncryptionConfiguration", "rules"),
        ("EventSourceMapping", "eventSourceArn"),
        ("Function", "environment"),
        ("Function", "kmsKeyArn"),
        ("Function", "role"),
        ("FunctionEventInvokeConfig", "destinationConfig"),
        ("LogGroup", "kmsKeyId"),
        ("MetricAlarm", "alarmActions"),
        ("MetricAlarm", "okActions"),
        ("Queue", "kmsMasterKeyId"),
        ("Queue", "redrivePolicy"),
        ("QueuePolicy", "queueUrl"),
        ("RedriveAllowPolicy", "queueUrl"),
        ("Table", "serverSideEncryption"),
        ("Topic", "kmsMasterKeyId"),
        ("TopicPolicy", "arn"),
    }


def test_names_and_policies_are_known_at_preview(previewed: Recording, deployed: Recording) -> None:
    for name, declared in previewed.resources.items():
        for key in ("name", "bucket", "policy", "assumeRolePolicy", "dimensions", "metricQueries"):
            assert declared.inputs.get(key) == deployed.resources[name].inputs.get(key)


def test_bad_arguments_declare_nothing() -> None:
    with pytest.raises(InvalidTapStackArgs, match="environmentSuffix: 'NO' cannot end the names"):
        declare({"environment_suffix": "NO"})


def test_public_surface() -> None:
    assert sorted(tap_stack.__all__) == ["InvalidTapStackArgs", "TapStack", "TapStackArgs"]
