"""S3 buckets encrypt new objects with a KMS key.

S3 encrypts every object since January 2023, with keys of its own unless told otherwise:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tap_guardrails.aws import (
    AWS,
    BUCKET,
    BUCKET_ENCRYPTION,
    CUSTOMER,
    NATIVE_BUCKET,
    evaluate_each,
    named_key,
)
from tap_guardrails.aws.sub_resources import blocks, missing, settings_of, takes_access_logs
from tap_guardrails.model import (
    Enum,
    Outcomes,
    PropertyRef,
    PropertyValue,
    Resource,
    Settings,
    Stack,
    StackRule,
)

S3: Final = "s3"
KMS_ALGORITHMS: Final = ("aws:kms", "aws:kms:dsse")
S3_ALGORITHM: Final = "AES256"

RULES: Final = ("rules", "rule")
DEFAULTS: Final = ("applyServerSideEncryptionByDefault", "applyServerSideEncryptionByDefaults")
"""The same blocks under the names that versions of the provider gave them."""

REQUIRED: Final = {
    CUSTOMER: "default encryption by aws:kms with a KMS key of your own",
    AWS: "default encryption by aws:kms",
    S3: "default encryption by aws:kms or AES256",
}
NATIVE_FIX: Final = "Set `bucketEncryption` on the bucket, with `aws:kms` and your key."
OWN_KEYS: Final = "Objects are encrypted with keys that S3 keeps, for nothing else is declared."


def check(resource: Resource, stack: Stack, settings: Settings) -> Outcomes:
    """Check a bucket, or what a `BucketServerSideEncryptionConfiguration` says of one."""
    key = S3 if of_access_logs(resource, stack) else settings.enum("key")
    if resource.type in BUCKET_ENCRYPTION.types:
        yield from every_default(resource, stack, resource.at, key)
        return
    configured = settings_of(stack, resource, BUCKET_ENCRYPTION)
    if configured.certain:
        return
    if resource.type == NATIVE_BUCKET:
        rules = resource.at("bucketEncryption", "serverSideEncryptionConfiguration").items()
        if rules.absent and key != S3:
            yield missing(configured, BUCKET_ENCRYPTION, rules.ref, OWN_KEYS, REQUIRED[key], NATIVE_FIX)
        yield from evaluate_each(
            rules,
            lambda rule: encrypted(resource, stack, rule.at("serverSideEncryptionByDefault"), key),
            required=REQUIRED[key],
        )
        return
    said = blocks(resource.as_set(BUCKET.at(resource, "serverSideEncryptionConfiguration")))
    if not said.absent:
        yield from evaluate_each(
            said, lambda block: every_default(resource, stack, block.at, key), required=REQUIRED[key]
        )
    elif key != S3:
        yield missing(configured, BUCKET_ENCRYPTION, said.ref, OWN_KEYS, REQUIRED[key])


def of_access_logs(resource: Resource, stack: Stack) -> bool:
    """Tell whether a bucket, or all that a configuration may be for, takes logs that no key can encrypt."""
    if resource.type not in BUCKET_ENCRYPTION.types:
        return takes_access_logs(resource, stack)
    buckets = stack.resolve_reference(resource, resource.at("bucket"), BUCKET)
    every = (*buckets.certain, *buckets.possible)
    return bool(every) and not buckets.anything and all(takes_access_logs(one, stack) for one in every)


def every_default(resource: Resource, stack: Stack, at: Callable[[str], PropertyRef], key: str) -> Outcomes:
    """Check a configuration: each of its rules, and what each says of objects that come without a wish."""
    yield from evaluate_each(
        first_set(resource, at, RULES),
        lambda rule: evaluate_each(
            first_set(resource, rule.at, DEFAULTS),
            lambda default: encrypted(resource, stack, default, key),
            required=REQUIRED[key],
            absent=OWN_KEYS,
        ),
        required=REQUIRED[key],
        absent=OWN_KEYS,
    )


def encrypted(resource: Resource, stack: Stack, default: PropertyRef, key: str) -> Outcomes:
    """Require an algorithm and a key that suffice."""
    allowed = (*KMS_ALGORITHMS, S3_ALGORITHM) if key == S3 else KMS_ALGORITHMS
    algorithm = default.at("sseAlgorithm").text()
    yield from algorithm.must(
        lambda name: name in allowed,
        problem=OWN_KEYS,
        required=f"one of {', '.join(allowed)}",
        fix=NATIVE_FIX if resource.type == NATIVE_BUCKET else "",
    )
    if key == CUSTOMER and (algorithm.value is None or algorithm.value in allowed):
        yield from named_key(resource, stack, default.at("kmsMasterKeyId"))


def first_set(
    resource: Resource, at: Callable[[str], PropertyRef], names: tuple[str, ...]
) -> PropertyValue[list[PropertyRef]]:
    """Read a block under whichever of its names is set."""
    props = [blocks(resource.as_set(at(name))) for name in names]
    return next((prop for prop in props if not prop.absent), props[0])


RULE = StackRule(
    name="s3-encryption",
    title="S3 buckets are encrypted",
    description="S3 buckets encrypt new objects with a KMS key.",
    why="Who may read objects is then also a matter of the key, which can be audited and taken away.",
    fix="Declare a BucketServerSideEncryptionConfiguration (with V2 at its end before version 7 of the AWS "
    "provider) for the bucket, with `aws:kms` and your key.",
    severity="high",
    url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html",
    controls=("s3-17: FSBP S3.17, NIST SC-13 SC-28",),
    types=(*BUCKET.types, *BUCKET_ENCRYPTION.types),
    settings=(
        Enum(
            "key",
            CUSTOMER,
            "Whose key: `customer` wants a KMS key of your own, `aws` also takes AWS's KMS key for S3, `s3` "
            "also the keys that S3 keeps, with which it encrypts unless told otherwise.",
            (CUSTOMER, AWS, S3),
        ),
    ),
    check=check,
)
