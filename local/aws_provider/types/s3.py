"""Simple Storage Service: the bucket and the resources beside it."""

from __future__ import annotations

from typing import Final

from local.aws_provider.types.description import Description, Limit

_BUCKET = Description(
    replaces=frozenset({"bucket", "bucketPrefix", "bucketNamespace", "objectLockEnabled"}),
    documents=frozenset({"policy"}),
    sets=frozenset({"grants"}),
)
_BESIDE = frozenset({"bucket", "expectedBucketOwner"})
_VERSIONING = Description(
    replaces=_BESIDE,
    limits={"versioningConfiguration.status": Limit(choices=("Enabled", "Suspended", "Disabled"))},
)
_ENCRYPTION = Description(
    replaces=_BESIDE,
    sets=frozenset({"rules"}),
    limits={
        "rules.applyServerSideEncryptionByDefault.sseAlgorithm": Limit(
            choices=("AES256", "aws:kms", "aws:kms:dsse")
        ),
    },
)
_LIFECYCLE = Description(
    replaces=_BESIDE,
    defaults={"transitionDefaultMinimumObjectSize": "all_storage_classes_128K"},
    limits={"rules.status": Limit(choices=("Enabled", "Disabled"))},
)

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:s3/bucket:Bucket": _BUCKET,
    "aws:s3/bucketV2:BucketV2": _BUCKET,
    "aws:s3/bucketPolicy:BucketPolicy": Description(
        replaces=frozenset({"bucket"}), documents=frozenset({"policy"})
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _VERSIONING,
    "aws:s3/bucketVersioningV2:BucketVersioningV2": _VERSIONING,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _ENCRYPTION,
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": _ENCRYPTION,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Description(replaces=frozenset({"bucket"})),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Description(
        replaces=frozenset({"bucket"}),
        limits={
            "rule.objectOwnership": Limit(
                choices=("BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced")
            )
        },
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _LIFECYCLE,
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2": _LIFECYCLE,
    "aws:s3/bucketNotification:BucketNotification": Description(
        replaces=frozenset({"bucket"}),
        sets=frozenset({"lambdaFunctions.events", "queues.events", "topics.events"}),
    ),
}
