"""S3 buckets, and their sub-resources.

Since version 4 of the AWS provider a bucket's settings stand in resources of their own, under changing
names; older programs say them on the bucket. Names of buckets are unique in all of AWS, so that a name
alone says which bucket is meant.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.lists import refs_at
from tap_guardrails.aws.resource_types import (
    BUCKET,
    BUCKET_ENCRYPTION,
    BUCKET_POLICY,
    BUCKET_VERSIONING,
    PUBLIC_ACCESS_BLOCK,
)
from tap_guardrails.aws.sub_resources import SubResource, sub_resources
from tap_guardrails.model import (
    Absent,
    Finding,
    Invalid,
    Known,
    PropertyRef,
    PropertyValue,
    Relation,
    Resource,
    ResourceType,
    Stack,
    listed,
    undecided,
    violation,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


SUB_RESOURCES: Final = {
    kind: SubResource(kind, "bucket", BUCKET, local=False)
    for kind in (BUCKET_VERSIONING, BUCKET_ENCRYPTION, PUBLIC_ACCESS_BLOCK, BUCKET_POLICY)
}


def settings_of(stack: Stack, bucket: Resource, kind: ResourceType) -> Relation:
    """Return the sub-resources of a type that configure a bucket."""
    return sub_resources(stack, bucket, SUB_RESOURCES[kind])


def missing(found: Relation, kind: ResourceType, where: PropertyRef, problem: str, required: str) -> Finding:
    """Say that nothing is declared for a bucket, or that it is undecided whether it is.

    Args:
        found: What the stack may say of the bucket.
        kind: The kind of resource that would say it.
        where: The bucket's property where older programs say it, and CloudFormation.
        problem: What to say when nothing is declared.
        required: What has to be declared.
    """
    nowhere = replace(where, value=None)
    if not found.possible:
        return violation(nowhere, problem, required)
    return undecided(
        nowhere,
        required,
        f"Undecided before deployment: {listed(found.possible)} may be for this bucket or for another.",
        f"Give the {kind.title} the bucket's own output, or a name that is known at preview.",
    )


def blocks(node: PropertyRef) -> PropertyValue[list[PropertyRef]]:
    """Read a block that some versions of the provider write as an object and others as a list of them."""
    if isinstance(node.value, dict) and not node.invalid_parent:
        return Known([node], node)
    match node.items():
        case Known(items):
            return Known(items, node) if items else Absent(node)
        case Invalid(place, wanted):
            return Invalid(place, wanted if place.invalid_parent else "an object")
        case other:
            return other


LOG_TARGETS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "aws:s3/bucketLogging:BucketLogging": (("targetBucket",),),
    "aws:s3/bucketLoggingV2:BucketLoggingV2": (("targetBucket",),),
    "aws:s3/bucket:Bucket": (("logging", "targetBucket"), ("loggings[*]", "targetBucket")),
    "aws:s3/bucketV2:BucketV2": (("loggings[*]", "targetBucket"),),
    "aws-native:s3:Bucket": (("loggingConfiguration", "destinationBucketName"),),
    "aws:lb/loadBalancer:LoadBalancer": (("accessLogs", "bucket"), ("connectionLogs", "bucket")),
    "aws:alb/loadBalancer:LoadBalancer": (("accessLogs", "bucket"), ("connectionLogs", "bucket")),
    "aws:elb/loadBalancer:LoadBalancer": (("accessLogs", "bucket"),),
}
"""By type, where it names the bucket that takes its access logs, which no KMS key can encrypt.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
"""


def takes_access_logs(bucket: Resource, stack: Stack) -> bool:
    """Tell whether a bucket certainly takes access logs."""
    return bucket.urn in stack.memoized(find_log_buckets)


def find_log_buckets(stack: Stack) -> frozenset[str]:
    """Find the buckets of a stack that take access logs, by URN."""
    named = (
        stack.resolve_reference(source, ref, BUCKET)
        for token, paths in LOG_TARGETS.items()
        for source in stack.of(token)
        for path in paths
        for ref in refs_at(source, path)
    )
    return frozenset(bucket.urn for found in named for bucket in found.certain)
