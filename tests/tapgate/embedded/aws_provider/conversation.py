"""Speaks Pulumi's provider protocol with the stand-in's real process."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, provider_pb2, provider_pb2_grpc

from tapgate.embedded.aws_provider.values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from google.protobuf.message import Message

    from tapgate.embedded.aws_provider.values import Properties

ROOT = Path(__file__).parents[4]
URN = "urn:pulumi:dev::tap::pkg:index:Component$"
SEED = b"seed"
_OPTIONS = [("grpc.max_receive_message_length", 400 * 1024 * 1024)]
"""The engine's own limit; gRPC's is below the size of the schema."""

M = TypeVar("M")


class _Call(Protocol):
    def __call__(self, request: Message, *, timeout: float) -> object: ...


@dataclass
class Conversation:
    """One provider process that is being spoken to."""

    stub: object
    said: list[str] = field(default_factory=list[str])
    engine: str = ""

    def call(self, method: str, request: Message, answer: type[M]) -> M:
        """Call a method of the protocol."""
        result = cast("_Call", getattr(self.stub, method))(request, timeout=60)
        assert isinstance(result, answer)
        return result

    def configure(self, config: Properties | None = None) -> None:
        """Configure the provider."""
        request = provider_pb2.ConfigureRequest(args=encode(config or {}))
        self.call("Configure", request, provider_pb2.ConfigureResponse)

    def check(
        self, token: str, news: Properties, olds: Properties | None = None, name: str = "thing"
    ) -> tuple[Properties, list[tuple[str, str]]]:
        """Check a resource; gives the inputs and the failures."""
        request = provider_pb2.CheckRequest(
            urn=f"{URN}{token}::{name}", news=encode(news), olds=encode(olds or {}), randomSeed=SEED
        )
        response = self.call("Check", request, provider_pb2.CheckResponse)
        inputs, _ = decode(response.inputs)
        return inputs, [(failure.property, failure.reason) for failure in response.failures]


class _Grpc(Protocol):
    """The functions of grpc that its type stubs leave partly open."""

    def server(self, pool: futures.Executor) -> Any: ...  # noqa: ANN401 - its stubs leave it open

    def method_handlers_generic_handler(self, service: str, handlers: dict[str, object]) -> object: ...

    def unary_unary_rpc_method_handler(
        self,
        behavior: Callable[..., Message],
        *,
        request_deserializer: Callable[[bytes], Message],
        response_serializer: Callable[[Message], bytes],
    ) -> object: ...


def _start_engine(said: list[str]) -> tuple[grpc.Server, int]:
    def log(request: engine_pb2.LogRequest, _context: object) -> empty_pb2.Empty:
        said.append(request.message)
        return empty_pb2.Empty()

    library = cast("_Grpc", grpc)
    handler = library.unary_unary_rpc_method_handler(
        log,
        request_deserializer=engine_pb2.LogRequest.FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )
    engine = library.server(futures.ThreadPoolExecutor(2))
    engine.add_generic_rpc_handlers(
        (library.method_handlers_generic_handler("pulumirpc.Engine", {"Log": handler}),)
    )
    port = engine.add_insecure_port("127.0.0.1:0")
    engine.start()
    return engine, port


@contextlib.contextmanager
def converse(*options: str, with_engine: bool = True, mode: str = "") -> Generator[Conversation]:
    """Start a provider, with these options, and an engine that notes what it is told."""
    said: list[str] = []
    engine, port = _start_engine(said)
    command = [
        sys.executable,
        "-m",
        "tapgate.embedded.aws_provider",
        *([f"127.0.0.1:{port}"] if with_engine else []),
    ]
    command += [*([mode] if mode else []), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = f"127.0.0.1:{process.stdout.readline().strip()}"
            with grpc.insecure_channel(address, options=_OPTIONS) as channel:
                yield Conversation(provider_pb2_grpc.ResourceProviderStub(channel), said, f"127.0.0.1:{port}")
        finally:
            process.terminate()
            assert process.wait(120) == 0
            engine.stop(None)
