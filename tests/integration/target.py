"""What the integration tests deploy to: an emulator of their own, one that is given, or AWS itself."""

from __future__ import annotations

import contextlib
import functools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import boto3
from botocore.config import Config

from tapgate.embedded.aws_provider.settings import require_emulator
from tapgate.embedded.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_xray import XRayClient

REGION = "eu-west-2"


@dataclass(frozen=True)
class Target:
    """Where the stack is deployed.

    Attributes:
        endpoint: The emulator's address; empty for AWS itself.
        environment: The variables that lead AWS's SDKs there.
    """

    endpoint: str
    environment: Mapping[str, str]

    @property
    def emulated(self) -> bool:
        """Whether it is an emulator."""
        return bool(self.endpoint)

    @functools.cached_property
    def session(self) -> boto3.Session:
        """A session with the credentials that hold there."""
        if not self.emulated:
            return boto3.Session(region_name=REGION)
        return boto3.Session(
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )

    def client(self, service: str, config: Config | None = None, endpoint: str = "") -> object:
        """Make a client of a service; `endpoint` where it is not the target's."""
        make = cast("Callable[..., object]", self.session.client)
        return make(service, endpoint_url=endpoint or self.endpoint or None, config=config)

    @functools.cached_property
    def s3(self) -> S3Client:
        """A client of S3."""
        return cast("S3Client", self.client("s3", _PATHS))

    @functools.cached_property
    def dynamodb(self) -> DynamoDBClient:
        """A client of DynamoDB."""
        return cast("DynamoDBClient", self.client("dynamodb"))

    @functools.cached_property
    def sqs(self) -> SQSClient:
        """A client of SQS."""
        return cast("SQSClient", self.client("sqs"))

    @functools.cached_property
    def sns(self) -> SNSClient:
        """A client of SNS."""
        return cast("SNSClient", self.client("sns"))

    @functools.cached_property
    def kms(self) -> KMSClient:
        """A client of KMS."""
        return cast("KMSClient", self.client("kms"))

    @functools.cached_property
    def iam(self) -> IAMClient:
        """A client of IAM."""
        return cast("IAMClient", self.client("iam"))

    @functools.cached_property
    def logs(self) -> CloudWatchLogsClient:
        """A client of CloudWatch Logs."""
        return cast("CloudWatchLogsClient", self.client("logs"))

    @functools.cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """A client of CloudWatch."""
        return cast("CloudWatchClient", self.client("cloudwatch"))

    @functools.cached_property
    def xray(self) -> XRayClient:
        """A client of X-Ray."""
        return cast("XRayClient", self.client("xray"))

    @functools.cached_property
    def functions(self) -> LambdaClient:
        """A client of Lambda."""
        return cast("LambdaClient", self.client("lambda", _SLOW))


_PATHS = Config(s3={"addressing_style": "path"})
_SLOW = Config(read_timeout=320, retries={"total_max_attempts": 1})


@contextlib.contextmanager
def chosen_target(trace_address: str) -> Generator[Target]:
    """Choose what to deploy to.

    `TAP_AWS=real` takes AWS itself with the user's credentials; an endpoint in `AWS_ENDPOINT_URL` that
    can only be an emulator is taken; else an emulator is started.

    Args:
        trace_address: Where functions send their X-Ray segments, `host:port`; AWS itself has its own.
    """
    if os.environ.get("TAP_AWS") == "real":
        yield Target("", {})
        return
    given = os.environ.get("AWS_ENDPOINT_URL", "")
    if given:
        require_emulator(given)
        yield Target(given, {**Emulator().environment(), "AWS_ENDPOINT_URL": given})
        return
    with Emulator(environment={"AWS_XRAY_DAEMON_ADDRESS": trace_address}) as emulator:
        yield Target(emulator.endpoint, emulator.environment())
