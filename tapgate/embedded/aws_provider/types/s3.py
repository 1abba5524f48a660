"""Simple Storage Service: the bucket and the resources beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tapgate.embedded.aws_provider.casing import camel, pascal
from tapgate.embedded.aws_provider.operations import (
    Answer,
    Call,
    Computed,
    Constant,
    Operations,
    PropertyGroup,
    Source,
    Subject,
    Tagging,
    Wanted,
    at,
    from_id,
    identity,
    own,
    told,
    wanted_name,
)
from tapgate.embedded.aws_provider.resource_schema import Limit
from tapgate.embedded.aws_provider.types.description import Description
from tapgate.embedded.aws_provider.types.s3_lifecycle import LIFECYCLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapgate.embedded.aws_provider.values import Properties, Value

_BUCKET: dict[str, Source] = {"Bucket": identity}
_GONE = frozenset({"404", "NoSuchBucket"})
_BESIDE = frozenset({"bucket", "expectedBucketOwner"})
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_NAME_OF_BUCKET = r"(?!\d+\.\d+\.\d+\.\d+$)(?!xn--)(?!.*(\.\.|\.-|-\.))[0-9a-z][0-9a-z.-]*[0-9a-z]"
_OWNER = Limit(pattern=r"\d{12}")
_ENCRYPTION_KEYS = {"kmsMasterKeyId": "KMSMasterKeyID", "sseAlgorithm": "SSEAlgorithm"}
_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _location(subject: Subject) -> object:
    return None if subject.region == "us-east-1" else {"LocationConstraint": subject.region}


def _name(suffix: Callable[[Subject], str]) -> Callable[[Answer, Subject], Value]:
    return lambda _answer, subject: f"{subject.id}.s3{suffix(subject)}.amazonaws.com"


def _versioning(subject: Subject) -> Call | None:
    configuration = subject.wanted.get("versioningConfiguration")
    if isinstance(configuration, dict) and configuration.get("status") == "Disabled":
        return None
    return Call(
        "put_bucket_versioning",
        {
            **_BUCKET,
            "MFA": Wanted("mfa"),
            "VersioningConfiguration": Wanted("versioningConfiguration", pascal(mfaDelete="MFADelete")),
        },
    )


def _suspended(subject: Subject) -> Call | None:
    configuration = subject.wanted.get("versioningConfiguration")
    if not isinstance(configuration, dict) or configuration.get("status") != "Enabled":
        return None
    return Call(
        "put_bucket_versioning", {**_BUCKET, "VersioningConfiguration": Constant({"Status": "Suspended"})}
    )


def _versioning_found(answer: Answer, _subject: Subject) -> Value:
    return {
        "status": str(answer.get("Status") or "Disabled"),
        "mfaDelete": str(answer.get("MFADelete") or "Disabled"),
    }


def _blocks(wanted: Properties) -> object:
    return {name[:1].upper() + name[1:]: bool(wanted.get(name)) for name in _BLOCKS}


def _beside(
    put: PropertyGroup,
    read: Call,
    delete: tuple[Call | Callable[[Subject], Call | None], ...],
    absent: str = "",
) -> Operations:
    """Describe what stands beside a bucket and bears its name; `absent` is AWS's code for none."""
    return Operations(
        service="s3",
        name=wanted_name("bucket"),
        read=read,
        found=put.found,
        property_groups=(PropertyGroup(put.properties, put.put),),
        delete=delete,
        missing=_GONE | {absent},
        from_id=from_id("bucket"),
        write_only=_BESIDE | {"skipDestroy"},
    )


_BUCKET_OPERATIONS = Operations(
    service="s3",
    create=Call(
        "create_bucket",
        {
            **own("bucket"),
            "CreateBucketConfiguration": _location,
            "ObjectLockEnabledForBucket": Wanted("objectLockEnabled"),
        },
    ),
    name=wanted_name("bucket"),
    read=Call("head_bucket", _BUCKET),
    found={
        "arn": lambda _answer, subject: f"arn:aws:s3:::{subject.id}",
        "bucket": lambda _answer, subject: subject.id,
        "bucketDomainName": _name(lambda _subject: ""),
        "bucketRegion": lambda _answer, subject: subject.region,
        "bucketRegionalDomainName": _name(lambda subject: f".{subject.region}"),
    },
    tags=Tagging(
        read="get_bucket_tagging",
        path="TagSet",
        tag="put_bucket_tagging",
        untag=None,
        resource=("Bucket", identity),
        tags_param="Tagging",
        keys_param="",
        absent=frozenset({"NoSuchTagSet"}),
        wrapped="TagSet",
    ),
    delete=(Call("delete_bucket", _BUCKET),),
    pre_delete="bucket",
    missing=_GONE,
    already_exists_codes=frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}),
    from_id=from_id("bucket"),
    write_only=frozenset({"forceDestroy"}),
)

_BUCKET_DESCRIPTION = Description(
    replaces=frozenset({"bucket", "bucketPrefix", "bucketNamespace", "objectLockEnabled"}),
    documents=frozenset({"policy"}),
    sets=frozenset({"grants"}),
    limits={
        "bucket": Limit(pattern=_NAME_OF_BUCKET, min_length=3, max_length=63),
        "bucketPrefix": Limit(pattern=r"[0-9a-z][0-9a-z.-]*", max_length=37),
    },
    operations=_BUCKET_OPERATIONS,
)
_VERSIONING = Description(
    replaces=_BESIDE,
    absent={"versioningConfiguration.mfaDelete": "Disabled"},
    limits={"expectedBucketOwner": _OWNER, "bucket": Limit(min_length=1, max_length=63)},
    operations=_beside(
        PropertyGroup(
            ("versioningConfiguration", "mfa"),
            _versioning,
            found={"versioningConfiguration": _versioning_found},
        ),
        Call("get_bucket_versioning", _BUCKET),
        (_suspended,),
    ),
)
_ENCRYPTION = Description(
    replaces=_BESIDE,
    sets=frozenset({"rules"}),
    limits={"expectedBucketOwner": _OWNER, "bucket": Limit(min_length=1, max_length=63)},
    operations=_beside(
        PropertyGroup(
            ("rules",),
            Call(
                "put_bucket_encryption",
                {
                    **_BUCKET,
                    "ServerSideEncryptionConfiguration": Wanted(
                        "rules", lambda rules: {"Rules": pascal(**_ENCRYPTION_KEYS)(rules)}
                    ),
                },
            ),
            found={"rules": at("ServerSideEncryptionConfiguration.Rules", camel(**_ENCRYPTION_KEYS))},
        ),
        Call("get_bucket_encryption", _BUCKET),
        (Call("delete_bucket_encryption", _BUCKET),),
        "ServerSideEncryptionConfigurationNotFoundError",
    ),
)

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:s3/bucket:Bucket": _BUCKET_DESCRIPTION,
    "aws:s3/bucketV2:BucketV2": _BUCKET_DESCRIPTION,
    "aws:s3/bucketPolicy:BucketPolicy": Description(
        replaces=frozenset({"bucket"}),
        documents=frozenset({"policy"}),
        operations=_beside(
            PropertyGroup(
                ("policy",),
                Call("put_bucket_policy", {**_BUCKET, **own("policy")}),
                found=told("", "policy"),
            ),
            Call("get_bucket_policy", _BUCKET),
            (Call("delete_bucket_policy", _BUCKET),),
            "NoSuchBucketPolicy",
        ),
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _VERSIONING,
    "aws:s3/bucketVersioningV2:BucketVersioningV2": _VERSIONING,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _ENCRYPTION,
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": _ENCRYPTION,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Description(
        replaces=frozenset({"bucket"}),
        operations=_beside(
            PropertyGroup(
                _BLOCKS,
                Call(
                    "put_public_access_block",
                    {**_BUCKET, "PublicAccessBlockConfiguration": Computed(_BLOCKS, _blocks)},
                ),
                found={
                    name: at(f"PublicAccessBlockConfiguration.{name[:1].upper()}{name[1:]}")
                    for name in _BLOCKS
                },
            ),
            Call("get_public_access_block", _BUCKET),
            (Call("delete_public_access_block", _BUCKET),),
            "NoSuchPublicAccessBlockConfiguration",
        ),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Description(
        replaces=frozenset({"bucket"}),
        operations=_beside(
            PropertyGroup(
                ("rule",),
                Call(
                    "put_bucket_ownership_controls",
                    {
                        **_BUCKET,
                        "OwnershipControls": Wanted("rule", lambda rule: {"Rules": [pascal()(rule)]}),
                    },
                ),
                found={"rule": at("OwnershipControls.Rules", lambda rules: _first(camel()(rules)))},
            ),
            Call("get_bucket_ownership_controls", _BUCKET),
            (Call("delete_bucket_ownership_controls", _BUCKET),),
            "OwnershipControlsNotFoundError",
        ),
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": LIFECYCLE,
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2": LIFECYCLE,
    "aws:s3/bucketNotification:BucketNotification": Description(
        replaces=frozenset({"bucket"}),
        sets=frozenset({"lambdaFunctions.events", "queues.events", "topics.events"}),
    ),
}


def _first(rules: Value) -> Value:
    return rules[0] if isinstance(rules, list) and rules else None
