"""The data bucket: `incoming/<id>.json` as received, `processed/<id>.json` as made of it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from tap_items.aws_clients import UnavailableError, error_code, http_status, unavailable_on_failure

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

CONFLICT_ATTEMPTS = 3


class StoredObject(NamedTuple):
    """An object's metadata, as given when it was stored, and its size in bytes."""

    metadata: Mapping[str, str]
    size: int


def incoming_name(item_id: str) -> str:
    """Return where an item is stored as received."""
    return f"incoming/{item_id}.json"


def processed_name(item_id: str) -> str:
    """Return where the processed item is stored."""
    return f"processed/{item_id}.json"


class ObjectStore:
    """Objects of one bucket, each encrypted with one KMS key and checked by its SHA-256 on the way in."""

    def __init__(self, client: S3Client, bucket: str, kms_key: str) -> None:
        self._client = client
        self._bucket = bucket
        self._kms_key = kms_key

    def create(self, name: str, content: bytes, metadata: Mapping[str, str]) -> bool:
        """Store an object unless one has that name; False when one has."""
        for _ in range(CONFLICT_ATTEMPTS):
            with unavailable_on_failure("PutObject"):
                try:
                    self._client.put_object(**self._upload(name, content, metadata), IfNoneMatch="*")
                except ClientError as error:
                    if http_status(error) == 412:
                        return False
                    # 409: another upload of the same object is under way; ask again how it ended.
                    if http_status(error) != 409:
                        raise
                else:
                    return True
        raise UnavailableError("PutObject", "ConditionalRequestConflict")

    def replace(self, name: str, content: bytes, metadata: Mapping[str, str]) -> None:
        """Store an object, over one that may have that name."""
        with unavailable_on_failure("PutObject"):
            self._client.put_object(**self._upload(name, content, metadata))

    def describe(self, name: str) -> StoredObject | None:
        """Return an object's metadata, or None when there is no such object."""
        with unavailable_on_failure("HeadObject"):
            try:
                answer = self._client.head_object(Bucket=self._bucket, Key=name)
            except ClientError as error:
                if http_status(error) == 404:
                    return None
                raise
        return StoredObject(answer["Metadata"], answer["ContentLength"])

    def read(self, name: str, limit: int) -> bytes | None:
        """Return an object's content, or None when there is none; of more than `limit` bytes, `limit` + 1.

        Read whole, botocore checks length and checksum, and what was cut off on the way is a failure.
        """
        with unavailable_on_failure("GetObject"):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=name)
            except ClientError as error:
                if error_code(error) == "NoSuchKey":
                    return None
                raise
            if answer["ContentLength"] <= limit:
                return answer["Body"].read()
            with closing(answer["Body"]) as body:
                return body.read(limit + 1)

    def check(self) -> None:
        """Raise `UnavailableError` unless the bucket answers."""
        with unavailable_on_failure("HeadBucket"):
            self._client.head_bucket(Bucket=self._bucket)

    def _upload(self, name: str, content: bytes, metadata: Mapping[str, str]) -> dict[str, Any]:
        return {
            "Bucket": self._bucket,
            "Key": name,
            "Body": content,
            "ContentType": "application/json",
            "ChecksumSHA256": base64.b64encode(hashlib.sha256(content).digest()).decode("ascii"),
            "Metadata": dict(metadata),
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": self._kms_key,
            "BucketKeyEnabled": True,
        }
