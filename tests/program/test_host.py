"""What the engine sees of the component: its schema, and its word on bad arguments."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Protocol, cast

import grpc
import pulumi
import pytest
from pulumi.provider.server import ComponentInitError
from pulumi.runtime import mocks, set_mocks
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tap_stack import TapStack, TapStackArgs
from tap_stack.arguments import schema_name
from tap_stack.host import TapProvider
from tests.program.recording import CODE, OUTPUTS, PROGRAM

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = "tap:index:TapStack"


@pytest.fixture(scope="module")
def schema() -> Mapping[str, object]:
    return cast("dict[str, object]", json.loads(TapProvider().schema or ""))


@pytest.fixture(scope="module")
def resource(schema: Mapping[str, object]) -> Mapping[str, Mapping[str, Mapping[str, object]]]:
    resources = cast("dict[str, dict[str, dict[str, dict[str, object]]]]", schema["resources"])
    assert list(resources) == [TOKEN]
    return resources[TOKEN]


def test_schema_has_every_argument_with_its_documentation(
    resource: Mapping[str, Mapping[str, Mapping[str, object]]],
) -> None:
    inputs = resource["inputProperties"]
    assert set(inputs) == {schema_name(argument) for argument in TapStackArgs.__annotations__}
    assert resource["requiredInputs"] == []
    for name, described in inputs.items():
        assert described["description"], name
        assert "\n " not in str(described["description"]), name


def test_schema_types(resource: Mapping[str, Mapping[str, Mapping[str, object]]]) -> None:
    inputs = resource["inputProperties"]
    assert {name: described.get("type", described.get("$ref")) for name, described in inputs.items()} == {
        "environmentSuffix": "string",
        "tags": "object",
        "logRetentionInDays": "integer",
        "logLevel": "string",
        "apiHandlerErrorThreshold": "integer",
        "processorErrorThreshold": "integer",
        "apiHandlerDurationThreshold": "integer",
        "notificationEmail": "string",
        "notificationTopicArn": "string",
        "deletionProtection": "boolean",
        "forceDestroy": "boolean",
        "permissionsBoundary": "string",
        "architecture": "string",
        "apiHandlerReservedConcurrency": "integer",
        "processorMaximumConcurrency": "integer",
        "apiHandlerCode": "pulumi.json#/Archive",
        "processorCode": "pulumi.json#/Archive",
    }


def test_schema_has_every_output_with_its_documentation(
    resource: Mapping[str, Mapping[str, Mapping[str, object]]],
) -> None:
    outputs = resource["properties"]
    assert set(outputs) == set(OUTPUTS)
    assert sorted(cast("list[str]", resource["required"])) == sorted(OUTPUTS)
    assert all(described["type"] == "string" and described["description"] for described in outputs.values())
    assert "\n " not in str(resource["description"])


def test_the_token_is_the_one_that_the_component_registers(schema: Mapping[str, object]) -> None:
    assert schema["name"] == "tap"
    assert TapStack.__name__ == TOKEN.rsplit(":", 1)[1]


class _NoResources(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, object]]:
        raise AssertionError(args.name)

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, object], list[tuple[str, str]] | None]:
        raise AssertionError(args.token)


def construct(inputs: pulumi.Inputs) -> None:
    set_mocks(_NoResources(), project="tap-stack", stack="dev", preview=True)
    TapProvider().construct("tap", TOKEN, inputs)


def test_bad_arguments_become_property_errors() -> None:
    with pytest.raises(pulumi.InputPropertiesError) as caught:
        construct({"environmentSuffix": "NO", "logRetentionInDays": 8.0, "apiHandlerCode": CODE})
    assert caught.value.message == "TapStack `tap` cannot be planned with these arguments"
    found = {error["property_path"]: error["reason"] for error in caught.value.errors or []}
    assert set(found) >= {"environmentSuffix", "logRetentionInDays"}
    assert "'NO' cannot end the names" in found["environmentSuffix"]
    assert caught.value.__suppress_context__


def test_other_errors_keep_their_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("tap_stack.stack.read_settings", broken)
    with pytest.raises(ComponentInitError, match="broken"):
        construct({})


class _Provider(Protocol):
    def GetSchema(  # noqa: N802 - the protocol's name
        self, request: provider_pb2.GetSchemaRequest, *, timeout: float
    ) -> provider_pb2.GetSchemaResponse: ...


def test_the_plugin_serves_its_schema() -> None:
    command = [sys.executable, str(PROGRAM / "__main__.py"), "127.0.0.1:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=PROGRAM.parent) as plugin:
        try:
            assert plugin.stdout
            port = int(plugin.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                provider = cast("_Provider", provider_pb2_grpc.ResourceProviderStub(channel))
                answer = provider.GetSchema(provider_pb2.GetSchemaRequest(), timeout=60)
        finally:
            plugin.terminate()
    assert TOKEN in answer.schema
