"""Messages through the engine's log, where `pulumi` shows them to its user."""

from __future__ import annotations

import threading
from typing import Protocol, cast

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class _Engine(Protocol):
    def Log(self, request: engine_pb2.LogRequest, *, timeout: float) -> object: ...  # noqa: N802 - gRPC's name


class EngineLog:
    """Writes to the log of one engine; without an engine's address it is silent."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def warn_once(self, message: str) -> None:
        """Show a warning, once however often it is asked for; a failure to show it fails nothing else."""
        with self._lock:
            if not self._address or message in self._said:
                return
            self._said.add(message)
        with grpc.insecure_channel(self._address) as channel:
            request = engine_pb2.LogRequest(severity=engine_pb2.WARNING, message=message)
            try:
                cast("_Engine", engine_pb2_grpc.EngineStub(channel)).Log(request, timeout=5)
            except grpc.RpcError:
                return
