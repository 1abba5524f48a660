"""S3 buckets refuse every request that does not come over TLS.

An `Allow` that asks for TLS refuses nothing: whoever has leave in another policy comes in without. It takes
a `Deny`, for everyone, for every action, on the bucket and on its objects, and on this one condition.
https://repost.aws/knowledge-center/s3-bucket-policy-for-config-rule
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws import BUCKET, BUCKET_POLICY
from tap_guardrails.aws.policy_documents import covers, document, one_or_many, strange_elements, texts
from tap_guardrails.aws.sub_resources import missing, settings_of
from tap_guardrails.model import Outcomes, PropertyRef, Resource, Settings, Stack, StackRule
from tap_guardrails.model.values import has_unknown

DENIAL: Final = (
    "a `Deny` for everyone of `s3:*` on the bucket and its objects when `aws:SecureTransport` is false"
)
OPEN: Final = "The bucket takes requests without TLS."

PARTITIONS: Final = ("aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b")
ANY_OBJECTS: Final = ("/\x00", "/\x00\x00/\x00")
"""Objects whose names no pattern can match but with `*`, and of two lengths, so that no `?` can."""
NO_BUCKET: Final = "\x00"


def check(resource: Resource, stack: Stack, _settings: Settings) -> Outcomes:
    """Check a bucket, or the policy of one."""
    if resource.type in BUCKET_POLICY.types:
        yield from closed(BUCKET_POLICY.at(resource, "policy"), bucket_name(resource, stack))
        return
    configured = settings_of(stack, resource, BUCKET_POLICY)
    if configured.certain:
        return
    policy = resource.as_set(resource.at("policy"))
    if policy.text().absent:
        yield missing(configured, BUCKET_POLICY, resource.at("policy"), OPEN, DENIAL)
    else:
        yield from closed(policy, BUCKET.physical_name(resource))


def bucket_name(policy: Resource, stack: Stack) -> str | None:
    """Return the name of the bucket that a policy is of, or None while it is not known."""
    prop = policy.at("bucket").text()
    if prop.value is not None:
        return prop.value
    names = {
        BUCKET.physical_name(bucket) for bucket in stack.resolve_reference(policy, prop.ref, BUCKET).certain
    }
    return names.pop() if len(names) == 1 else None


def closed(policy: PropertyRef, bucket: str | None) -> Outcomes:
    """Require that a policy refuses what is not over TLS."""
    content = document(policy)
    statements = one_or_many(content.at("Statement"))
    if statements.unknown:
        yield policy.undecided(DENIAL)
        return
    yield from statements.unsettled(DENIAL)
    patterns = [pattern for one in statements.value or () for pattern in denied_without_tls(one)]
    if not statements.settled or covered(patterns, bucket):
        return
    if any(may_deny(one) for one in statements.value or ()):
        yield policy.undecided(DENIAL, "Parts of the bucket's policy are unknown until deployment.")
    elif bucket is None and patterns:
        yield policy.undecided(DENIAL, "Undecided before deployment: the policy may name another bucket.")
    else:
        yield policy.violation(OPEN, DENIAL)


def may_deny(statement: PropertyRef) -> bool:
    """Tell whether something of a statement is unknown that may make a denial of it."""
    return statement.at("Effect").text().value != "Allow" and has_unknown(statement.value, or_opaque=True)


def covered(patterns: list[str], bucket: str | None) -> bool:
    """Tell whether patterns of resources match a bucket and all its objects."""
    name = bucket or NO_BUCKET
    return any(
        all(any(covers(pattern, arn) for pattern in patterns) for arn in (root, *objects))
        for root, objects in (
            (f"arn:{partition}:s3:::{name}", [f"arn:{partition}:s3:::{name}{key}" for key in ANY_OBJECTS])
            for partition in PARTITIONS
        )
    )


def denied_without_tls(statement: PropertyRef) -> list[str]:
    """Return the resources on which a statement certainly denies everyone everything that is not over TLS."""
    certain = (
        isinstance(statement.value, dict)
        and not strange_elements(statement)
        and texts(statement.at("Effect")) == ["Deny"]
        and is_everyone(statement.at("Principal"))
        and any(action.casefold() in {"*", "s3:*"} for action in texts(statement.at("Action")))
        and is_without_tls(statement.at("Condition"))
    )
    return texts(statement.at("Resource")) if certain else []


def is_everyone(principal: PropertyRef) -> bool:
    """Tell whether a principal is everyone."""
    return "*" in texts(principal) or "*" in texts(principal.at("AWS"))


def is_without_tls(condition: PropertyRef) -> bool:
    """Tell whether a condition is that the request is not over TLS, and no more than that."""
    operators = condition.entries()
    if operators.value is None or not operators.value.keys() <= {"Bool", "BoolIfExists"}:
        return False
    blocks = [block.entries().value or {} for block in operators.value.values()]
    keys = [(name.casefold(), texts(ref)) for block in blocks for name, ref in block.items()]
    asked = [(name, {text.casefold() for text in values}) for name, values in keys]
    return asked == [("aws:securetransport", {"false"})]


RULE = StackRule(
    name="s3-tls-only",
    title="S3 buckets take TLS only",
    description="S3 buckets refuse requests that do not come over TLS.",
    why="Without TLS, whoever is on the way reads and changes what goes in and comes out.",
    fix="`Deny` `s3:*` to everyone in the bucket's policy, with `Bool: {aws:SecureTransport: false}`.",
    severity="medium",
    url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html",
    controls=("s3-5: FSBP S3.5, NIST AC-17(2) SC-8 SC-8(1) SC-13 SC-23",),
    types=(*BUCKET.types, *BUCKET_POLICY.types),
    check=check,
)
