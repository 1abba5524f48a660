"""S3 buckets, and the resources that say something of a bucket: its parts.

Since version 4 of the AWS provider a bucket's settings stand in resources of their own, under changing
names; older programs say them on the bucket. Names of buckets are unique in all of AWS, so that a name
alone says which bucket is meant.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from tap_guardrails.model import (
    Absent,
    Finding,
    Kind,
    Known,
    Malformed,
    Node,
    Reading,
    Resource,
    Stack,
    undecided,
    violation,
)

BUCKET: Final = Kind(
    "S3 bucket",
    {
        "aws:s3/bucket:Bucket": {},
        "aws:s3/bucketV2:BucketV2": {
            "serverSideEncryptionConfiguration": "serverSideEncryptionConfigurations",
            "versioning": "versionings",
        },
    },
    name_property="bucket",
)

VERSIONING: Final = Kind(
    "BucketVersioning",
    {
        "aws:s3/bucketVersioning:BucketVersioning": {},
        "aws:s3/bucketVersioningV2:BucketVersioningV2": {},
    },
)

ENCRYPTION: Final = Kind(
    "BucketServerSideEncryptionConfiguration",
    {
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {},
        "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": {},
    },
)

PUBLIC_ACCESS_BLOCK: Final = Kind(
    "BucketPublicAccessBlock", {"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {}}
)

ACCOUNT_PUBLIC_ACCESS_BLOCK: Final = Kind(
    "AccountPublicAccessBlock", {"aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock": {}}
)

POLICY: Final = Kind("BucketPolicy", {"aws:s3/bucketPolicy:BucketPolicy": {}})


@dataclass(frozen=True, slots=True)
class Parts:
    """The resources of a kind that say something of a bucket.

    Attributes:
        certain: They are of this bucket.
        possible: They may be, or of another one.
    """

    certain: tuple[Resource, ...] = ()
    possible: tuple[Resource, ...] = ()


@dataclass(frozen=True, slots=True)
class PartIndex:
    """The parts of all buckets of a stack, of one kind.

    Attributes:
        certain: By a bucket's URN, those that are of it.
        possible: By a bucket's URN, those that may be.
        anywhere: Those that may be of any bucket at all.
    """

    certain: dict[str, list[Resource]]
    possible: dict[str, list[Resource]]
    anywhere: tuple[Resource, ...]


def parts(stack: Stack, bucket: Resource, kind: Kind) -> Parts:
    """Return what the stack says of a bucket in resources of a kind."""
    index = stack.derived(lambda whole: part_index(whole, kind), (PartIndex, kind))
    certain = tuple(index.certain.get(bucket.urn, ()))
    return Parts(certain, () if certain else (*index.possible.get(bucket.urn, ()), *index.anywhere))


def part_index(stack: Stack, kind: Kind) -> PartIndex:
    """Build the index of a kind of parts."""
    certain: dict[str, list[Resource]] = defaultdict(list)
    possible: dict[str, list[Resource]] = defaultdict(list)
    anywhere: list[Resource] = []
    for part in stack.of(*kind.types):
        target = stack.target(part, part.at("bucket"), BUCKET)
        for bucket in target.certain:
            certain[bucket.urn].append(part)
        for bucket in target.possible:
            possible[bucket.urn].append(part)
        if target.anything:
            anywhere.append(part)
    return PartIndex(certain, possible, tuple(anywhere))


def missing(found: Parts, kind: Kind, place: str, problem: str, required: str) -> Finding:
    """Say that nothing is declared for a bucket, or that nobody can tell whether it is.

    Args:
        found: What the stack may say of the bucket.
        kind: The kind of resource that would say it.
        place: The bucket's property where older programs say it.
        problem: What to say when nothing is declared.
        required: What has to be declared.
    """
    nowhere = Node(place, None, top=place)
    if not found.possible:
        return violation(nowhere, problem, required)
    names = ", ".join(f"`{part.name}`" for part in found.possible[:3])
    return undecided(
        nowhere,
        required,
        f"Nobody can tell before deployment whether {names} is for this bucket or for another one.",
        f"Give the {kind.title} the bucket's own output, or a name that is known at preview.",
    )


def blocks(node: Node) -> Reading[list[Node]]:
    """Read a block that some versions of the provider write as an object and others as a list of them."""
    if isinstance(node.value, dict) and not node.misfit:
        return Known([node], node)
    match node.items():
        case Known(items):
            return Known(items, node) if items else Absent(node)
        case Malformed(place, wanted):
            return Malformed(place, wanted if place.misfit else "an object")
        case other:
            return other
