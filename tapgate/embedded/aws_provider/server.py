"""Serves a provider over gRPC, writes to the log of the engine that uses it, and reads what it asks."""

from __future__ import annotations

import threading
from concurrent import futures
from typing import TYPE_CHECKING, Any, cast

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from tapgate.embedded.aws_provider.service import Provider


class EngineLog:
    """Writes to the log of one engine; without an engine's address it is silent."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def warn_once(self, message: str) -> None:
        """Show a warning, once however often it is asked for; a failure to show it fails nothing else."""
        self._say_once(message, engine_pb2.WARNING)

    def note_once(self, message: str) -> None:
        """Leave a message in the log for whoever reads that, as `warn_once` does."""
        self._say_once(message, engine_pb2.INFO)

    def _say_once(self, message: str, severity: engine_pb2.LogSeverity.ValueType) -> None:
        with self._lock:
            if not self._address or message in self._said:
                return
            self._said.add(message)
        with grpc.insecure_channel(self._address) as channel:
            request = engine_pb2.LogRequest(severity=severity, message=message)
            try:
                cast("Any", engine_pb2_grpc).EngineStub(channel).Log(request, timeout=5)
            except grpc.RpcError:
                return


_SERVICE = "pulumirpc.ResourceProvider"
_WORKERS = 16
_MESSAGE_BYTES = 400 * 1024 * 1024
"""The engine's own limit on messages."""


def start(provider: Provider) -> tuple[grpc.Server, int]:
    """Start serving a provider on a free port of the loopback address; return the server and its port."""
    # Its type stubs leave these functions partly open.
    library = cast("Any", grpc)
    options = [(f"grpc.max_{way}_message_length", _MESSAGE_BYTES) for way in ("receive", "send")]
    server = library.server(futures.ThreadPoolExecutor(_WORKERS), options=options)
    handlers = {
        name: library.unary_unary_rpc_method_handler(
            method, request_deserializer=request.FromString, response_serializer=_serialize
        )
        for name, (method, request) in provider.methods().items()
    }
    server.add_generic_rpc_handlers((library.method_handlers_generic_handler(_SERVICE, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()


def type_and_name(urn: str) -> tuple[str, str]:
    """Return the type and the name in a URN."""
    _, _, rest = urn.partition("urn:pulumi:")
    qualified, name = rest.split("::", 3)[2:]
    return qualified.rpartition("$")[2], name


def stack_of(urn: str) -> str:
    """Return the stack and project, as URNs begin."""
    return "::".join(urn.split("::", 2)[:2])
