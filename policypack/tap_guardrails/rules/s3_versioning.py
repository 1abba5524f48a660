"""S3 buckets keep the earlier versions of objects.

Said on the bucket or in a `BucketVersioning`; where there is one, it is what holds, for the provider reads
back onto the bucket what was there before.
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws import BUCKET, BUCKET_VERSIONING, NATIVE_BUCKET
from tap_guardrails.aws.sub_resources import blocks, missing, settings_of
from tap_guardrails.model import Outcomes, Resource, Settings, Stack, StackRule

ENABLED: Final = "Enabled"
NATIVE_FIX: Final = "Set `versioningConfiguration: {status: Enabled}` on the bucket."
OFF: Final = "The bucket keeps no earlier versions of objects."


def check(resource: Resource, stack: Stack, _settings: Settings) -> Outcomes:
    """Check a bucket, or what a `BucketVersioning` says of one."""
    if resource.type in BUCKET_VERSIONING.types:
        yield from enabled(resource)
        return
    configured = settings_of(stack, resource, BUCKET_VERSIONING)
    if configured.certain or locks_objects(resource):
        return
    if resource.type == NATIVE_BUCKET and not configured.possible:
        yield from enabled(resource, NATIVE_FIX)
        return
    said = blocks(resource.as_set(BUCKET.at(resource, "versioning")))
    yield from said.unsettled("versioning that is enabled")
    for block in said.value or ():
        switch = resource.as_set(block.at("enabled")).boolean()
        yield from switch.must(bool, problem=OFF, required="true")
    if said.absent:
        yield missing(configured, BUCKET_VERSIONING, said.ref, OFF, "a BucketVersioning of this bucket")


def enabled(resource: Resource, fix: str = "") -> Outcomes:
    """Require that a versioning configuration is enabled."""
    status = resource.at("versioningConfiguration", "status").text()
    yield from status.must(lambda value: value == ENABLED, problem=OFF, required=f'"{ENABLED}"', fix=fix)


def locks_objects(bucket: Resource) -> bool:
    """Tell whether a bucket certainly has Object Lock, which turns versioning on and keeps it on.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
    """
    lock = bucket.at("objectLockEnabled").boolean()
    older = bucket.at("objectLockConfiguration", "objectLockEnabled").text()
    return bool(lock.value) or older.value == ENABLED


RULE = StackRule(
    name="s3-versioning",
    title="S3 buckets keep versions",
    description="S3 buckets have versioning enabled.",
    why="Without versions, whatever overwrites or deletes an object takes it away for good.",
    fix="Declare a BucketVersioning (with V2 at its end before version 7 of the AWS provider) for the bucket "
    "with `versioningConfiguration: {status: Enabled}`.",
    severity="medium",
    url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html",
    controls=("s3-14: FSBP S3.14, NIST CP-9",),
    types=(*BUCKET.types, *BUCKET_VERSIONING.types),
    check=check,
)
