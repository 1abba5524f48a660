"""The pack as a plugin: Pulumi's Analyzer protocol on a port of the loopback interface.

The server is started by the engine, writes its port on standard output and answers until it is ended.
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import grpc
from pulumi.runtime.proto.analyzer_pb2_grpc import add_AnalyzerServicer_to_server

from tap_guardrails.assembly import find_rules
from tap_guardrails.serving.analyzer import GuardrailsAnalyzer

MESSAGE_LIMIT: Final = 400 * 1024 * 1024
"""Bytes in one message, as in Pulumi's own SDKs: a stack comes in one piece."""

WORKERS: Final = 4

STACK_BYTES: Final = 64 * 1024 * 1024
"""Stack of a worker: protobuf reads nested messages by recursion in C, and 8 MiB end at some 4,000 levels."""


def serve(*, reconfigurable: bool = False) -> None:
    """Serve the pack on a free port of the loopback interface, until interrupted."""
    server = make_server()
    add_AnalyzerServicer_to_server(GuardrailsAnalyzer(find_rules(), reconfigurable=reconfigurable), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        server.wait_for_termination()
    except KeyboardInterrupt:
        server.stop(0)


def make_server() -> grpc.Server:
    """Make a server that takes messages as large as a stack."""
    limits = [
        ("grpc.max_receive_message_length", MESSAGE_LIMIT),
        ("grpc.max_send_message_length", MESSAGE_LIMIT),
    ]
    threading.stack_size(STACK_BYTES)
    pool = ThreadPoolExecutor(max_workers=WORKERS)
    return grpc.server(pool, options=limits)  # pyright: ignore[reportUnknownMemberType]  # grpc-stubs: open generics


__all__ = ["serve"]
