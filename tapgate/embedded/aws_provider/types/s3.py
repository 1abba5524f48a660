"""Simple Storage Service: the bucket and the resources beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from tapgate.embedded.aws_provider.description import (
    Call,
    Computed,
    Description,
    Operations,
    PropertyGroup,
    Tagging,
    always,
    identity,
    value_of,
)
from tapgate.embedded.aws_provider.limits import not_both
from tapgate.embedded.aws_provider.resource_schema import Limit

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.description import Answer, Caller, Source, Subject
    from tapgate.embedded.aws_provider.values import Properties, Value

_BUCKET: Final[dict[str, Source]] = {"Bucket": identity}
_BESIDE: Final = {"bucket", "expectedBucketOwner"}
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_NAME_OF_BUCKET: Final = r"(?!\d+\.\d+\.\d+\.\d+$)(?!xn--)(?!.*(\.\.|\.-|-\.))[0-9a-z][0-9a-z.-]*[0-9a-z]"
_OF_A_BUCKET: Final = {
    "expectedBucketOwner": Limit(pattern=r"\d{12}"),
    "bucket": Limit(min_length=1, max_length=63),
}
_DATE: Final = r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?"


def _empty_bucket(call: Caller, subject: Subject) -> None:
    """Take away the bucket's objects, where the program has said that they may go too."""
    while subject.wanted.get("forceDestroy"):
        answer = call("list_object_versions", {"Bucket": subject.id})
        versions = [
            entry
            for name in ("Versions", "DeleteMarkers")
            for entry in cast("list[dict[str, str]]", answer.get(name) or [])
        ]
        if not versions:
            return
        objects = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in versions]
        call("delete_objects", {"Bucket": subject.id, "Delete": {"Objects": objects, "Quiet": True}})


def _versioning(subject: Subject) -> Call | None:
    configuration = subject.wanted.get("versioningConfiguration")
    if isinstance(configuration, dict) and configuration.get("status") == "Disabled":
        return None
    return Call(
        "put_bucket_versioning",
        {"MFA": value_of("mfa"), "VersioningConfiguration": value_of("versioningConfiguration")},
    )


def _suspended(subject: Subject) -> Call | None:
    configuration = subject.wanted.get("versioningConfiguration")
    if not isinstance(configuration, dict) or configuration.get("status") != "Enabled":
        return None
    return Call("put_bucket_versioning", {"VersioningConfiguration": always({"Status": "Suspended"})})


def _versioning_input(answer: Answer, _subject: Subject) -> Value:
    return {
        "status": str(answer.get("Status") or "Disabled"),
        "mfaDelete": str(answer.get("MFADelete") or "Disabled"),
    }


def _filtered(wanted: Properties) -> Value:
    """Give a filter to the rules that have none: AWS takes no rule without."""
    rules = wanted.get("rules")
    return {
        "rules": [
            {"filter": {"prefix": ""}, **rule} if isinstance(rule, dict) and "prefix" not in rule else rule
            for rule in (rules if isinstance(rules, list) else [])
        ]
    }


def _beside(what: str, *, put: PropertyGroup | None = None, delete: str = "") -> Operations:
    """Describe what stands beside a bucket and bears its name.

    Args:
        what: What it is in the names of its operations.
        put: How it is put, where that is not by `put_` and its name alone.
        delete: The operation that deletes it, where that is not `delete_` and its name.
    """
    return Operations(
        key=_BUCKET,
        id=("bucket",),
        read=Call(f"get_{what}"),
        property_groups=(put or PropertyGroup(Call(f"put_{what}")),),
        delete=(Call(delete or f"delete_{what}"),),
        write_only=_BESIDE | {"skipDestroy", "transitionDefaultMinimumObjectSize"},
    )


_BUCKET_DESCRIPTION = Description(
    replaces={"bucket", "bucketPrefix", "bucketNamespace", "objectLockEnabled"},
    documents={"policy"},
    sets={"grants"},
    limits={
        "bucket": Limit(pattern=_NAME_OF_BUCKET, min_length=3, max_length=63),
        "bucketPrefix": Limit(pattern=r"[0-9a-z][0-9a-z.-]*", max_length=37),
    },
    names={"objectLockEnabled": "ObjectLockEnabledForBucket"},
    operations=Operations(
        key=_BUCKET,
        create=Call(
            "create_bucket",
            {
                "CreateBucketConfiguration": lambda subject: (
                    None if subject.region == "us-east-1" else {"LocationConstraint": subject.region}
                )
            },
        ),
        id=("bucket",),
        read=Call("head_bucket"),
        readers={
            "arn": lambda _answer, subject: f"arn:aws:s3:::{subject.id}",
            "bucket": lambda _answer, subject: subject.id,
            "bucketDomainName": lambda _answer, subject: f"{subject.id}.s3.amazonaws.com",
            "bucketRegion": lambda _answer, subject: subject.region,
            "bucketRegionalDomainName": lambda _answer, subject: (
                f"{subject.id}.s3.{subject.region}.amazonaws.com"
            ),
        },
        tags=Tagging(
            "get_bucket_tagging", ("Bucket", identity), "put_bucket_tagging", None, absent={"NoSuchTagSet"}
        ),
        delete=(Call("delete_bucket"),),
        pre_delete=_empty_bucket,
        write_only={"forceDestroy"},
    ),
)
_VERSIONING = Description(
    replaces=_BESIDE,
    absent={"versioningConfiguration.mfaDelete": "Disabled"},
    limits=_OF_A_BUCKET,
    operations=Operations(
        key=_BUCKET,
        id=("bucket",),
        read=Call("get_bucket_versioning"),
        readers={"versioningConfiguration": _versioning_input},
        property_groups=(PropertyGroup(_versioning, ("versioningConfiguration", "mfa")),),
        delete=(_suspended,),
        write_only=_BESIDE | {"mfa"},
    ),
)
_ENCRYPTION = Description(
    replaces=_BESIDE, sets={"rules"}, limits=_OF_A_BUCKET, operations=_beside("bucket_encryption")
)
_LIFECYCLE = Description(
    replaces=_BESIDE,
    defaults={"transitionDefaultMinimumObjectSize": "all_storage_classes_128K"},
    limits={
        **_OF_A_BUCKET,
        "rules.id": Limit(min_length=1, max_length=255),
        "rules.abortIncompleteMultipartUpload.daysAfterInitiation": Limit(minimum=1),
        "rules.expiration.date": Limit(pattern=_DATE),
        "rules.filter.and.objectSizeGreaterThan": Limit(minimum=0),
        "rules.filter.and.objectSizeLessThan": Limit(minimum=1),
        "rules.noncurrentVersionExpiration.noncurrentDays": Limit(minimum=1),
        "rules.noncurrentVersionTransitions.noncurrentDays": Limit(minimum=0),
        "rules.transitions.date": Limit(pattern=_DATE),
        "rules.transitions.days": Limit(minimum=0),
    },
    rules=(not_both("rules.transitions.date", "days"),),
    sets={"rules.noncurrentVersionTransitions", "rules.transitions"},
    operations=_beside(
        "bucket_lifecycle_configuration",
        put=PropertyGroup(
            Call(
                "put_bucket_lifecycle_configuration",
                {"LifecycleConfiguration": Computed(("rules",), _filtered)},
            ),
            ("rules",),
        ),
        delete="delete_bucket_lifecycle",
    ),
)

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:s3/bucket:Bucket": _BUCKET_DESCRIPTION,
    "aws:s3/bucketV2:BucketV2": _BUCKET_DESCRIPTION,
    "aws:s3/bucketPolicy:BucketPolicy": Description(
        replaces={"bucket"}, documents={"policy"}, operations=_beside("bucket_policy")
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _VERSIONING,
    "aws:s3/bucketVersioningV2:BucketVersioningV2": _VERSIONING,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _ENCRYPTION,
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": _ENCRYPTION,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Description(
        replaces={"bucket"}, operations=_beside("public_access_block")
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Description(
        replaces={"bucket"}, operations=_beside("bucket_ownership_controls")
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _LIFECYCLE,
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2": _LIFECYCLE,
    "aws:s3/bucketNotification:BucketNotification": Description(
        replaces={"bucket"}, sets={"lambdaFunctions.events", "queues.events", "topics.events"}
    ),
}
