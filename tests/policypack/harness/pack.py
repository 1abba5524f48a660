"""The pack as the engine runs it: a process that speaks the Analyzer protocol."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from tests.policypack.harness.trees import struct

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from tests.policypack.harness.cases import CaseResource

PACK_FOLDER = Path(__file__).parents[3] / "policypack"
RECONFIGURABLE = Path(__file__).with_name("reconfigurable")
"""The same pack, which takes a configuration again and again."""
LIMITS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Pack:
    """A running pack."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = AnalyzerStub(channel)
        self.standing: Mapping[str, Mapping[str, object]] = {}
        """Settings, by policy, that every configuration has unless it says otherwise."""

    def _call(self, method: str, request: object, seconds: float = 120) -> object:
        call = cast("Callable[..., object]", getattr(self._stub, method))
        return call(request, timeout=seconds)

    def info(self) -> proto.AnalyzerInfo:
        return cast("proto.AnalyzerInfo", self._call("GetAnalyzerInfo", Empty()))

    def plugin(self) -> object:
        return self._call("GetPluginInfo", Empty())

    def configure(
        self,
        name: str | None = None,
        settings: Mapping[str, object] | None = None,
        level: int = proto.MANDATORY,
    ) -> None:
        """Set up one policy; all the others go back to their defaults."""
        request = proto.ConfigureAnalyzerRequest()
        given = {one: (proto.MANDATORY, own) for one, own in self.standing.items()}
        if name is not None:
            given[name] = (
                cast("proto.EnforcementLevel.ValueType", level),
                {**self.standing.get(name, {}), **(settings or {})},
            )
        for one, (at, own) in given.items():
            request.policyConfig[one].enforcementLevel = at
            request.policyConfig[one].properties.CopyFrom(struct(own))
        self._call("Configure", request)

    def configure_stack(
        self, config: Mapping[str, str] | None = None, secret_keys: Sequence[str] = ()
    ) -> None:
        """Say what the engine says of a stack: its tags, and its configuration."""
        request = proto.AnalyzerStackConfigureRequest(
            stack="dev", tags={"team": "a"}, config=config, config_secret_keys=secret_keys
        )
        self._call("ConfigureStack", request)

    def analyze(self, resource: CaseResource) -> proto.AnalyzeResponse:
        return cast("proto.AnalyzeResponse", self._call("Analyze", analyze_request(resource)))

    def remediate(self, resource: CaseResource) -> proto.RemediateResponse:
        return cast("proto.RemediateResponse", self._call("Remediate", analyze_request(resource)))

    def analyze_stack(self, resources: Sequence[CaseResource], seconds: float = 120) -> proto.AnalyzeResponse:
        for resource in resources:
            if resource.inputs is not None:
                self.analyze(replace(resource, props=resource.inputs))
        return cast("proto.AnalyzeResponse", self._call("AnalyzeStack", stack_request(resources), seconds))


def analyze_request(resource: CaseResource) -> proto.AnalyzeRequest:
    """What the engine sends of a resource before it is created."""
    request = proto.AnalyzeRequest(
        type=resource.type, urn=resource.urn, name=resource.name, properties=struct(resource.props)
    )
    if not resource.is_component:
        request.provider.CopyFrom(provider_message(resource))
    return request


def provider_message(resource: CaseResource) -> proto.AnalyzerProviderResource:
    package = resource.type.split(":")[0]
    return proto.AnalyzerProviderResource(
        type=f"pulumi:providers:{package}",
        urn=resource.provider_urn,
        name=resource.provider_name,
        properties=struct(resource.provider_props),
    )


def stack_request(resources: Sequence[CaseResource]) -> proto.AnalyzeStackRequest:
    """What the engine sends of a whole stack."""
    urns = {resource.name: resource.urn for resource in resources}
    request = proto.AnalyzeStackRequest()
    for resource in resources:
        message = request.resources.add(
            type=resource.type,
            urn=resource.urn,
            name=resource.name,
            properties=struct(resource.props),
            parent=urns.get(resource.parent, ""),
        )
        if not resource.is_component:
            message.provider.CopyFrom(provider_message(resource))
        for key, names in resource.deps.items():
            message.propertyDependencies[key].urns.extend(urns.get(name, name) for name in names)
    return request


def pack_command(folder: Path = PACK_FOLDER, options: Sequence[str] = ()) -> list[str]:
    """How the engine's language host starts a pack; it listens once it has written its port."""
    return [sys.executable, *options, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(folder)]


@contextmanager
def running_process(
    folder: Path = PACK_FOLDER, environment: Mapping[str, str] | None = None, options: Sequence[str] = ()
) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    """Start the pack as the engine does, and give the process and its port."""
    process = subprocess.Popen(
        pack_command(folder, options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=PACK_FOLDER.parent
        if folder in {PACK_FOLDER, RECONFIGURABLE}
        else folder,  # coverage knows files from the root
        env={**os.environ, **(environment or {})},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.strip().isdigit():
            _, errors = process.communicate(timeout=60)
            raise AssertionError(f"the pack did not start: {line!r} {errors.decode()}")
        yield process, int(line)
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
        assert not errors, errors.decode()


@contextmanager
def running_pack(
    folder: Path = PACK_FOLDER, environment: Mapping[str, str] | None = None, options: Sequence[str] = ()
) -> Generator[Pack]:
    """Start the pack as the engine does, and speak to it."""
    with (
        running_process(folder, environment, options) as (_, port),
        grpc.insecure_channel(f"127.0.0.1:{port}", options=LIMITS) as channel,
    ):
        yield Pack(channel)
