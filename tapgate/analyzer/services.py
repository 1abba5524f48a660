"""The two gRPC services that are called, typed (pulumi's own stubs name modules that do not exist)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import grpc
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2_grpc, language_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.protobuf import empty_pb2
    from pulumi.runtime.proto import analyzer_pb2, language_pb2

OPTIONS: Final = (
    ("grpc.max_receive_message_length", 400 * 1024 * 1024),
    ("grpc.max_send_message_length", 400 * 1024 * 1024),
)


class Analyzer(Protocol):
    """The service of a policy pack: pulumi/analyzer.proto."""

    def Handshake(  # noqa: N802
        self, request: analyzer_pb2.AnalyzerHandshakeRequest, timeout: float
    ) -> analyzer_pb2.AnalyzerHandshakeResponse:
        """Tell the pack where the engine and its own folder are."""
        ...

    def GetAnalyzerInfo(self, request: empty_pb2.Empty, timeout: float) -> analyzer_pb2.AnalyzerInfo:  # noqa: N802
        """Ask for the pack's policies."""
        ...

    def Configure(self, request: analyzer_pb2.ConfigureAnalyzerRequest, timeout: float) -> empty_pb2.Empty:  # noqa: N802
        """Set levels and settings."""
        ...

    def ConfigureStack(  # noqa: N802
        self, request: analyzer_pb2.AnalyzerStackConfigureRequest, timeout: float
    ) -> analyzer_pb2.AnalyzerStackConfigureResponse:
        """Tell about the stack: its name, its config."""
        ...

    def Analyze(self, request: analyzer_pb2.AnalyzeRequest, timeout: float) -> analyzer_pb2.AnalyzeResponse:  # noqa: N802
        """Ask about one resource."""
        ...

    def AnalyzeStack(  # noqa: N802
        self, request: analyzer_pb2.AnalyzeStackRequest, timeout: float
    ) -> analyzer_pb2.AnalyzeResponse:
        """Ask about all resources."""
        ...


class LanguageHost(Protocol):
    """The service of a language host: pulumi/language.proto."""

    def RunPlugin(self, request: language_pb2.RunPluginRequest) -> Iterator[language_pb2.RunPluginResponse]:  # noqa: N802
        """Start a plugin written in the host's language; the answers carry its output."""
        ...


def connect(port: str) -> grpc.Channel:
    """Connect to a service on this machine."""
    return grpc.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS)


def analyzer(channel: grpc.Channel) -> Analyzer:
    """Return the pack at the other end."""
    return cast("Analyzer", analyzer_pb2_grpc.AnalyzerStub(channel))


def language_host(channel: grpc.Channel) -> LanguageHost:
    """Return the language host at the other end."""
    return cast("LanguageHost", language_pb2_grpc.LanguageRuntimeStub(channel))


def struct(values: Mapping[str, object]) -> struct_pb2.Struct:
    """Return JSON-like values as a protobuf Struct."""
    message = struct_pb2.Struct()
    message.update(cast("dict[str, Any]", values))
    return message
