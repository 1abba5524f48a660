"""Receives X-Ray segments as the X-Ray daemon does."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime

    from mypy_boto3_xray import XRayClient
    from mypy_boto3_xray.type_defs import TraceSummaryTypeDef

_DATAGRAM = 65_536


class TraceReceiver:
    """A UDP socket on the loopback address that keeps the segments that arrive."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._segments: list[dict[str, object]] = []
        self._thread = threading.Thread(target=self._receive, daemon=True)

    @property
    def address(self) -> str:
        """Where it listens, `host:port`."""
        host, port = cast("tuple[str, int]", self._socket.getsockname())
        return f"{host}:{port}"

    @property
    def segments(self) -> list[dict[str, object]]:
        """What has arrived so far."""
        return list(self._segments)

    def wait_for(self, count: int, seconds: float = 20) -> list[dict[str, object]]:
        """Wait until that many segments have arrived; gives what has arrived by then."""
        deadline = time.monotonic() + seconds
        while len(self._segments) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.segments

    def start(self) -> None:
        """Begin to receive."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._socket.close()

    def _receive(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                datagram = self._socket.recv(_DATAGRAM)
                _header, _, body = datagram.partition(b"\n")
                self._segments.append(cast("dict[str, object]", json.loads(body)))


def traces_since(
    client: XRayClient, function: str, start: datetime, end: datetime
) -> list[TraceSummaryTypeDef]:
    """Return X-Ray's traces of a function in a stretch of time."""
    asked = f'service("{function}")'
    return client.get_trace_summaries(StartTime=start, EndTime=end, FilterExpression=asked)["TraceSummaries"]


@contextlib.contextmanager
def received_traces() -> Generator[TraceReceiver]:
    """Receive segments while the block runs."""
    receiver = TraceReceiver()
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()
