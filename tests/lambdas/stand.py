"""A stack of real resources in the AWS emulator, of the form that the program deploys."""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_kms.client import KMSClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sqs.client import SQSClient

REGION = "eu-west-2"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "123456789012",
    "AWS_SECRET_ACCESS_KEY": "emulated",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
}
MAX_RECEIVE_COUNT = 5

_client: Callable[..., Any] = vars(boto3)["client"]


def free_port() -> int:
    """A TCP port of the loopback interface that no one uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until a condition holds; an error when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)


@cache
def client_of(service: str, endpoint: str) -> Any:  # noqa: ANN401 - as in `Stand.client`
    """A client of one service; one for all stands of an emulator."""
    return _client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
    )


@dataclass
class Stand:
    """Key, bucket, table, queues, and clients of the test's own to look at them."""

    endpoint: str
    name: str = field(default_factory=lambda: f"tap-{secrets.token_hex(4)}")

    def __post_init__(self) -> None:
        self.s3: S3Client = self.client("s3")
        self.dynamodb: DynamoDBClient = self.client("dynamodb")
        self.sqs: SQSClient = self.client("sqs")
        self.kms: KMSClient = self.client("kms")
        self.bucket = f"{self.name}-data"
        self.table = f"{self.name}-metadata"
        self.key_arn = self.kms.create_key()["KeyMetadata"].get("Arn", "")
        self._make_bucket()
        self._make_table()
        self.dead_letter_url = self.make_queue("dlq", {})
        redrive = {"deadLetterTargetArn": self.arn_of_queue("dlq"), "maxReceiveCount": MAX_RECEIVE_COUNT}
        self.queue_url = self.make_queue("work", {"RedrivePolicy": json.dumps(redrive)})

    def client(self, service: str) -> Any:  # noqa: ANN401 - each caller names the client's type
        return client_of(service, self.endpoint)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a function of this stack."""
        return {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.endpoint,
            "TABLE_NAME": self.table,
            "BUCKET_NAME": self.bucket,
            "QUEUE_URL": self.queue_url,
            "KMS_KEY_ARN": self.key_arn,
            "ENVIRONMENT_SUFFIX": "test",
            "LOG_LEVEL": "INFO",
            "POWERTOOLS_METRICS_NAMESPACE": "TapStack",
        }

    def make_queue(self, thing: str, attributes: dict[str, str]) -> str:
        return self.sqs.create_queue(QueueName=f"{self.name}-{thing}", Attributes=attributes)["QueueUrl"]  # pyright: ignore[reportArgumentType]

    def arn_of_queue(self, thing: str) -> str:
        return f"arn:aws:sqs:{REGION}:123456789012:{self.name}-{thing}"

    def rows(self) -> list[dict[str, Any]]:
        """All of the table, as the emulator writes it."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        return [dict(row) for page in pages for row in page["Items"]]

    def objects(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry.get("Key", "") for page in pages for entry in page.get("Contents", [])]

    def versions_below(self, prefix: str) -> Counter[str]:
        """How many versions of each object were ever written."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix)
        return Counter(each.get("Key", "") for page in pages for each in page.get("Versions", []))

    def versions(self, name: str) -> int:
        """How many versions of an object were ever written."""
        return self.versions_below(name)[name]

    def read(self, name: str) -> bytes:
        return self.s3.get_object(Bucket=self.bucket, Key=name)["Body"].read()

    def depth(self, url: str) -> int:
        """Messages in a queue, those being worked on included."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(value) for value in answer["Attributes"].values())

    def _make_bucket(self) -> None:
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})

    def _make_table(self) -> None:
        self.dynamodb.create_table(
            TableName=self.table,
            KeySchema=[
                {"AttributeName": "id", "KeyType": "HASH"},
                {"AttributeName": "timestamp", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "timestamp", "AttributeType": "N"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
