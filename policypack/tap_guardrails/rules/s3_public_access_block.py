"""S3 buckets refuse to be public, whatever their policies and access lists say.

S3 applies the stricter of what is set for a bucket and for its account.
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws import ACCOUNT_PUBLIC_ACCESS_BLOCK, BUCKET, NATIVE_BUCKET, PUBLIC_ACCESS_BLOCK
from tap_guardrails.aws.sub_resources import missing, settings_of
from tap_guardrails.model import (
    Enum,
    NotApplicable,
    Outcomes,
    PropertyRef,
    Resource,
    Settings,
    Stack,
    StackRule,
)

SWITCHES: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")

OPEN: Final = "Nothing keeps the bucket from becoming public."
NATIVE_FIX: Final = "Set `publicAccessBlockConfiguration` on the bucket, with all four settings `true`."

IGNORE, DECLARED, ASSUMED = "ignore", "declared", "assume"


def check(resource: Resource, stack: Stack, settings: Settings) -> Outcomes:
    """Check a bucket, or what a public access block says of one or of the account."""
    account = settings.enum("accountBlock")
    if resource.type in ACCOUNT_PUBLIC_ACCESS_BLOCK.types:
        yield from (
            all_on(resource)
            if account == DECLARED
            else [NotApplicable("`accountBlock` is not `declared`, so each bucket needs a block of its own.")]
        )
    elif account == ASSUMED or (account == DECLARED and covered_by_account(resource, stack)):
        yield NotApplicable("The account blocks public access to all its buckets.")
    elif resource.type in PUBLIC_ACCESS_BLOCK.types:
        yield from all_on(resource)
    else:
        configured = settings_of(stack, resource, PUBLIC_ACCESS_BLOCK)
        if configured.certain:
            return
        own = resource.at("publicAccessBlockConfiguration")
        on = f"{', '.join(SWITCHES)} all true"
        if resource.type != NATIVE_BUCKET:
            required = f"a BucketPublicAccessBlock of this bucket with {on}"
            yield missing(configured, PUBLIC_ACCESS_BLOCK, BUCKET.at(resource, "bucket"), OPEN, required)
        elif own.value is None:
            yield missing(configured, PUBLIC_ACCESS_BLOCK, own, OPEN, on, NATIVE_FIX)
        else:
            yield from all_on(own, NATIVE_FIX)


def all_on(block: Resource | PropertyRef, fix: str = "") -> Outcomes:
    """Require that all four switches are on."""
    for name in SWITCHES:
        yield from block.at(name).boolean().must(bool, problem=f"`{name}` is off.", required="true", fix=fix)


def covered_by_account(resource: Resource, stack: Stack) -> bool:
    """Tell whether the stack sets the block for the account that a resource is in.

    A provider is one account; two providers may or may not share one.
    """
    return any(block.provider == resource.provider for block in stack.of(*ACCOUNT_PUBLIC_ACCESS_BLOCK.types))


RULE = StackRule(
    name="s3-public-access-block",
    title="S3 buckets are not public",
    description="S3 buckets have all four settings of the public access block on.",
    why="Without it one careless policy or access list opens the bucket to everyone.",
    fix="Declare a BucketPublicAccessBlock for the bucket with all four settings `true`.",
    severity="high",
    url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
    controls=("s3-8: FSBP S3.8, CIS 2.1.4, NIST AC-3 SC-7",),
    types=(*BUCKET.types, *PUBLIC_ACCESS_BLOCK.types, *ACCOUNT_PUBLIC_ACCESS_BLOCK.types),
    settings=(
        Enum(
            "accountBlock",
            IGNORE,
            "What the account's own block counts for: `ignore` nothing, each bucket needs one; `declared` an "
            "AccountPublicAccessBlock of the same provider in the stack is enough; `assume` the account has "
            "one that the stack does not show.",
            (IGNORE, DECLARED, ASSUMED),
            ordered=False,
        ),
    ),
    check=check,
)
