"""Where resources are, and which sub-resources configure another one, which they reference.

A bucket's versioning, a function's event sources, a queue's redrive policy: AWS takes each in a call of its
own, and the provider makes a resource of each. Since version 4 of the AWS provider a bucket's settings stand
in resources of their own, under changing names; older programs say them on the bucket. Names of buckets are
unique in all of AWS, so that a name alone says which bucket is meant; other names are those of one region of
one account.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from tap_guardrails.aws import (
    BUCKET,
    BUCKET_ENCRYPTION,
    BUCKET_POLICY,
    BUCKET_VERSIONING,
    PUBLIC_ACCESS_BLOCK,
)
from tap_guardrails.model import (
    Absent,
    Finding,
    Invalid,
    Known,
    PropertyRef,
    PropertyValue,
    Provider,
    Relation,
    RelationIndex,
    Resource,
    ResourceType,
    Stack,
    Unknown,
    listed,
)
from tap_guardrails.model.values import has_unknown, record

ACCOUNT_INPUTS: Final = (
    "accessKey", "allowedAccountIds", "assumeRole", "assumeRoleWithWebIdentity", "assumeRoles",
    "customCaBundle", "ec2MetadataServiceEndpoint", "endpoints", "forbiddenAccountIds", "httpProxy",
    "httpsProxy", "insecure", "noProxy", "profile", "secretKey", "sharedConfigFiles",
    "sharedCredentialsFiles", "token",
)  # fmt: skip
"""The inputs of a provider that say which account it works in, or by whom it is answered.

https://www.pulumi.com/registry/packages/aws/api-docs/provider/
"""


def same_location(one: Resource, other: Resource) -> bool | None:
    """Tell whether two resources are in one region of one account; None when that is undecided."""
    ours, theirs = own_region(one), own_region(other)
    if ours is None or theirs is None:
        return None
    provider = one.provider
    same_provider = provider is not None and (provider is other.provider or provider == other.provider)
    if same_provider and ours == theirs:
        return True
    ours, theirs = ours or provider_region(one), theirs or provider_region(other)
    if ours and theirs and ours != theirs:
        return False
    if not ours or not theirs:
        return None
    return True if same_provider or same_account(one.provider, other.provider) else None


def own_region(resource: Resource) -> str | None:
    """Return the region that a resource sets for itself, empty when it leaves it to the provider.

    Returns:
        None when the resource's region was made from something that is not known yet.
    """
    declared = resource.declared
    if declared.properties.get("region") is None:
        return ""  # as nearly all do, of every pair that is compared
    match declared.at("region").text():
        case Known(region):
            return region
        case Unknown() if declared.property_dependencies.get("region"):
            return None
        case _:
            return ""


def provider_region(resource: Resource) -> str:
    """Return the region of a resource's provider, empty when it is not known."""
    return (resource.provider.at("region").text().value or "") if resource.provider else ""


def same_account(one: Provider | None, other: Provider | None) -> bool:
    """Tell whether two providers certainly work in one account: nothing that chooses it differs."""
    if one is None or other is None:
        return False
    pairs = [(one.at(name).value, other.at(name).value) for name in ACCOUNT_INPUTS]
    return all(ours == theirs and not has_unknown(ours) for ours, theirs in pairs)


def region_of(resource: Resource) -> str:
    """Return the region that a resource is in, empty while it is not known."""
    own = own_region(resource)
    return "" if own is None else own or provider_region(resource)


PARTITIONS: Final = (
    ("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-isob-", "aws-iso-b"), ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"), ("us-iso-", "aws-iso"), ("eusc-", "aws-eusc"),
)  # fmt: skip
"""Where a region's name begins so, its partition; all others are in `aws`."""


def partition_of(region: str) -> str:
    """Return the partition of a region, empty while that is not known."""
    partitions = (partition for prefix, partition in PARTITIONS if region.startswith(prefix))
    return next(partitions, "aws" if region else "")


@record
class SubResource:
    """How sub-resources of a type reference the resource that they configure.

    Attributes:
        reference: Their property with the other's name, as their first type token calls it.
        owner: The type of the other.
        name_in: Takes the name out of the property's value.
        local: Whether a name means something in one region of one account only.
    """

    type: ResourceType
    reference: str
    owner: ResourceType
    name_in: Callable[[str], str | None] = str
    local: bool = True


def sub_resources(stack: Stack, owner: Resource, resource_type: SubResource) -> Relation[Resource]:
    """Return what configures a resource besides itself; what may configure any one, is possible."""
    return stack.memoized(
        lambda of: sub_resource_index(of, resource_type), (sub_resources, resource_type)
    ).of(owner.urn)


def sub_resource_index(stack: Stack, resource_type: SubResource) -> RelationIndex[Resource]:
    """Build the index of the sub-resources of a type by what they configure."""
    index = RelationIndex[Resource]()
    for one in stack.of(*resource_type.type.types):
        ref = resource_type.type.at(one, resource_type.reference)
        relation = stack.resolve_reference(one, ref, resource_type.owner, resource_type.name_in)
        if resource_type.local and isinstance(ref.text(), Known):
            near = Relation(relation.certain).where(lambda owner, one=one: same_location(one, owner))
            relation = Relation(near.certain, (*near.possible, *relation.possible), relation.anything)
        index.add(one, relation)
    return index


SUB_RESOURCES: Final = {
    resource_type: SubResource(resource_type, "bucket", BUCKET, local=False)
    for resource_type in (BUCKET_VERSIONING, BUCKET_ENCRYPTION, PUBLIC_ACCESS_BLOCK, BUCKET_POLICY)
}


def settings_of(stack: Stack, bucket: Resource, resource_type: ResourceType) -> Relation[Resource]:
    """Return the sub-resources of a type that configure a bucket."""
    return sub_resources(stack, bucket, SUB_RESOURCES[resource_type])


def missing(
    relation: Relation[Resource],
    resource_type: ResourceType,
    where: PropertyRef,
    problem: str,
    required: str,
    fix: str = "",
) -> Finding:
    """Say that nothing is declared for a bucket, or that it is undecided whether it is."""
    nowhere = replace(where, value=None)
    if not relation.possible:
        return nowhere.violation(problem, required, fix)
    return nowhere.undecided(
        required,
        f"Undecided before deployment: {listed(relation.possible)} may be for this bucket or for another.",
        f"Give the {resource_type.title} the bucket's own output, or a name that is known at preview.",
    )


def blocks(ref: PropertyRef) -> PropertyValue[list[PropertyRef]]:
    """Read a block that some versions of the provider write as an object and others as a list of them."""
    if isinstance(ref.value, dict) and not ref.invalid_parent:
        return Known([ref], ref)
    match ref.items():
        case Known(items):
            return Known(items, ref) if items else Absent(ref)
        case Invalid(ref, wanted):
            return Invalid(ref, wanted if ref.invalid_parent else "an object")
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


DELIVERY_ACL: Final = frozenset({"log-delivery-write", "LogDeliveryWrite"})
"""The ACL by which S3's logging writes into a bucket: https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html"""

ACLS: Final = {
    "aws:s3/bucketAcl:BucketAcl": "acl",
    "aws:s3/bucketAclV2:BucketAclV2": "acl",
    "aws:s3/bucket:Bucket": "acl",
    "aws:s3/bucketV2:BucketV2": "acl",
    "aws-native:s3:Bucket": "accessControl",
}
"""By type, the property with a bucket's ACL."""


def find_log_buckets(stack: Stack) -> frozenset[str]:
    """Find the buckets of a stack that take access logs, by URN."""
    every = ((one, one.at(name).text()) for token, name in ACLS.items() for one in stack.of(token))
    by_logging = [one for one, acl in every if acl.value in DELIVERY_ACL]
    named = (stack.resolve_reference(source, ref, BUCKET) for source, ref in stack.refs(LOG_TARGETS))
    by_acl = (
        stack.resolve_reference(acl, acl.at("bucket"), BUCKET)
        for acl in by_logging
        if acl.type not in BUCKET.types
    )
    certain = [bucket for relation in (*named, *by_acl) for bucket in relation.certain]
    return frozenset(bucket.urn for bucket in (*certain, *by_logging))
