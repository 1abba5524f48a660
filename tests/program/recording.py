"""Declares a TapStack without an engine and records what it asks for."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import pulumi
import pulumi_aws
from pulumi.runtime import mocks, set_mocks
from pulumi.runtime.mocks import MockMonitor

from tap_stack import TapStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pulumi.runtime.proto.resource_pb2 import RegisterResourceResponse

    from tap_stack import TapStackArgs

with warnings.catch_warnings():
    # pulumi_aws deprecates old types as it defines them, whoever imports it.
    warnings.simplefilter("ignore", DeprecationWarning)
    assert all((pulumi_aws.s3.Bucket, pulumi_aws.lambda_.Function, pulumi_aws.cloudwatch.MetricAlarm))

ACCOUNT = "111122223333"
REGION = "eu-west-2"
CODE = pulumi.AssetArchive({"app.py": pulumi.StringAsset("")})

OUTPUTS = {
    "kmsKeyId": "kms_key_id",
    "dataBucketName": "data_bucket_name",
    "metadataTableName": "metadata_table_name",
    "apiHandlerArn": "api_handler_arn",
    "processorArn": "processor_arn",
    "workQueueUrl": "work_queue_url",
    "dlqUrl": "dlq_url",
    "apiUrl": "api_url",
    "notificationTopicArn": "notification_topic_arn",
}


class _Request(Protocol):
    """What is read of the engine protocol's RegisterResourceRequest."""

    @property
    def type(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def parent(self) -> str: ...
    @property
    def protect(self) -> bool: ...
    @property
    def dependencies(self) -> Iterable[str]: ...


@dataclass(frozen=True)
class Declared:
    """One resource that the component asked for."""

    type: str
    name: str
    inputs: dict[str, object]
    parent: str
    """The parent's logical name."""
    protect: bool
    dependencies: frozenset[str]
    """Logical names."""


@dataclass
class Recording:
    resources: dict[str, Declared] = field(default_factory=dict[str, Declared])
    """By logical name."""
    outputs: dict[str, object] = field(default_factory=dict[str, object])
    """By the names of the schema; None for what is not known yet."""
    lookups: set[str] = field(default_factory=set[str])
    warnings: list[str] = field(default_factory=list[str])

    def of_type(self, kind: str) -> list[Declared]:
        return [declared for declared in self.resources.values() if declared.type == kind]

    def one(self, kind: str) -> Declared:
        found = self.of_type(kind)
        assert len(found) == 1, f"{len(found)} of {kind}"
        return found[0]


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[-1]


class _Monitor(MockMonitor):
    def __init__(self, resources: mocks.Mocks, recording: Recording) -> None:
        super().__init__(resources)
        self._recording = recording

    def RegisterResource(self, request: _Request) -> RegisterResourceResponse:  # noqa: N802
        answer = cast("Callable[[_Request], RegisterResourceResponse]", super().RegisterResource)(request)
        known = self._recording.resources.get(request.name)
        if known is not None:
            self._recording.resources[request.name] = Declared(
                request.type,
                request.name,
                known.inputs,
                _name(request.parent),
                request.protect,
                frozenset(_name(urn) for urn in request.dependencies),
            )
        return answer


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def _computed(kind: str, inputs: Mapping[str, object]) -> dict[str, object]:
    """What AWS answers when a resource is created, in AWS's own forms of ARNs and URLs."""
    name = inputs.get("name")
    known: dict[str, dict[str, object]] = {
        "aws:kms/key:Key": {"arn": _arn("kms", "key/0123-abcd"), "keyId": "0123-abcd"},
        "aws:dynamodb/table:Table": {"arn": _arn("dynamodb", f"table/{name}")},
        "aws:sqs/queue:Queue": {
            "arn": _arn("sqs", str(name)),
            "url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}",
        },
        "aws:sns/topic:Topic": {"arn": _arn("sns", str(name))},
        "aws:iam/role:Role": {"arn": f"arn:aws:iam::{ACCOUNT}:role/{name}"},
        "aws:lambda/function:Function": {"arn": _arn("lambda", f"function:{name}")},
        "aws:lambda/functionUrl:FunctionUrl": {"functionUrl": "https://abc.lambda-url.eu-west-2.on.aws/"},
        "aws:s3/bucket:Bucket": {"arn": f"arn:aws:s3:::{inputs.get('bucket')}"},
        "aws:cloudwatch/logGroup:LogGroup": {"arn": _arn("logs", f"log-group:{name}")},
        "aws:cloudwatch/metricAlarm:MetricAlarm": {"arn": _arn("cloudwatch", f"alarm:{name}")},
    }
    return known.get(kind, {})


class _Resources(mocks.Mocks):
    def __init__(self, recording: Recording, *, preview: bool, partition: str) -> None:
        self._recording = recording
        self._preview = preview
        self._partition = partition

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, object]]:
        inputs = cast("dict[str, object]", args.inputs)
        self._recording.resources[args.name] = Declared(
            args.typ, args.name, inputs, "", protect=False, dependencies=frozenset()
        )
        if self._preview:
            return None, inputs
        return f"{args.name}-id", inputs | _computed(args.typ, inputs)

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, object], list[tuple[str, str]] | None]:
        self._recording.lookups.add(args.token)
        answers: dict[str, dict[str, object]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT, "id": ACCOUNT},
            "aws:index/getRegion:getRegion": {"region": REGION, "name": REGION, "id": REGION},
            "aws:index/getPartition:getPartition": {"partition": self._partition, "id": self._partition},
        }
        return answers[args.token], []


def declare(
    args: TapStackArgs | None = None,
    *,
    name: str = "tap",
    stack: str = "dev",
    preview: bool = False,
    partition: str = "aws",
    opts: pulumi.ResourceOptions | None = None,
) -> Recording:
    """Declare one TapStack and return what it asked for.

    With `preview`, what AWS computes (ARNs, ids, URLs) is unknown, as it is before the first deployment.
    """
    recording = Recording()
    resources = _Resources(recording, preview=preview, partition=partition)
    set_mocks(
        resources, project="tap-stack", stack=stack, preview=preview, monitor=_Monitor(resources, recording)
    )
    whole: TapStackArgs = {"api_handler_code": CODE, "processor_code": CODE}
    whole.update(args or {})

    def program() -> pulumi.Output[None]:
        component = TapStack(name, whole, opts)
        outputs = {
            schema_name: cast("pulumi.Output[object]", getattr(component, attribute))
            for schema_name, attribute in OUTPUTS.items()
        }
        return pulumi.Output.all(**outputs).apply(recording.outputs.update)

    cast("Callable[[Callable[[], object]], Callable[[], None]]", mocks.test)(program)()
    return recording


def statements(policy: object) -> Sequence[Mapping[str, object]]:
    """Return the statements of a policy document."""
    assert isinstance(policy, str), policy
    return cast("dict[str, list[dict[str, object]]]", json.loads(policy))["Statement"]


PROGRAM = Path(__file__).parents[2] / "program"
