"""Tracing, all of it: X-Ray subsegments, sent to the daemon beside the function.

The X-Ray SDK is in maintenance mode, and OpenTelemetry's would cost more at start than all else here; the
daemon's protocol is one UDP datagram a finished subsegment
(https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html). What is traced: each step
named by `step`, and each AWS call of a client given to `trace_calls`. Without a sampled trace nothing is
sent, and nothing here ever fails the work that it watches.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from typing import Any, Protocol

DEFAULT_DAEMON = "127.0.0.1:2000"
HEADER = b'{"format": "json", "version": 1}\n'

_RESOURCES = {"TableName": "table_name", "Bucket": "bucket_name", "QueueUrl": "queue_url"}
_open: ContextVar[Subsegment | None] = ContextVar("open_subsegment", default=None)


class Subsegment:
    """A stretch of work, begun when this is made; `parts` goes into the document that `close` sends."""

    def __init__(self, name: str, trace_id: str, parent_id: str, namespace: str | None = None) -> None:
        self.id = secrets.token_hex(8)
        self.parts: dict[str, Any] = {} if namespace is None else {"namespace": namespace}
        self._name = name
        self._trace_id = trace_id
        self._parent_id = parent_id
        self._start_time = time.time()

    def close(self, failure: BaseException | None = None) -> None:
        """End the stretch now and send it."""
        document: dict[str, Any] = {
            "type": "subsegment",
            "name": self._name,
            "id": self.id,
            "trace_id": self._trace_id,
            "parent_id": self._parent_id,
            "start_time": self._start_time,
            "end_time": time.time(),
            **self.parts,
        }
        if failure is not None:
            cause = {"id": secrets.token_hex(8), "type": type(failure).__name__}
            document |= {"fault": True, "cause": {"exceptions": [cause]}}
        _send(document)


class _Events(Protocol):
    def register(self, event_name: str, handler: Any) -> None: ...  # noqa: ANN401 - botocore's own signature


@contextmanager
def step(name: str, annotations: Mapping[str, str] | None = None) -> Generator[None]:
    """Trace a stretch of the function's own work; AWS calls within it become its children."""
    subsegment = _begin(name)
    if subsegment is None:
        yield
        return
    if annotations:
        subsegment.parts["annotations"] = dict(annotations)
    token = _open.set(subsegment)
    try:
        yield
    except BaseException as failure:
        subsegment.close(failure)
        raise
    else:
        subsegment.close()
    finally:
        _open.reset(token)


def trace_calls(events: _Events) -> None:
    """Trace each call of a botocore client, given its event system."""
    events.register("before-parameter-build", _before_call)
    events.register("after-call", _after_call)
    events.register("after-call-error", _after_call_error)


def trace_header() -> str | None:
    """Return the header that makes what follows elsewhere part of this trace; None without a trace."""
    parts = _trace()
    if parts is None:
        return None
    current = _open.get()
    parent = parts["Parent"] if current is None else current.id
    return f"Root={parts['Root']};Parent={parent};Sampled={parts.get('Sampled', '0')}"


def _before_call(params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:  # noqa: ANN401
    subsegment = _begin(model.service_model.service_id, "aws")
    if subsegment is None:
        return
    about = {ours: params[theirs] for theirs, ours in _RESOURCES.items() if theirs in params}
    subsegment.parts["aws"] = {"operation": model.name, "region": context.get("client_region"), **about}
    context["tap_subsegment"] = subsegment


def _after_call(http_response: Any, parsed: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:  # noqa: ANN401
    subsegment: Subsegment | None = context.pop("tap_subsegment", None)
    if subsegment is None:
        return
    metadata: Mapping[str, Any] = parsed.get("ResponseMetadata", {})
    subsegment.parts["aws"] |= {
        "request_id": metadata.get("RequestId", ""),
        "retries": metadata.get("RetryAttempts", 0),
    }
    status: int = http_response.status_code
    subsegment.parts["http"] = {"response": {"status": status}}
    if status >= 500:
        subsegment.parts["fault"] = True
    elif status >= 400:
        subsegment.parts["error"] = True
        if status == 429 or "Throttl" in str(parsed.get("Error", {}).get("Code", "")):
            subsegment.parts["throttle"] = True
    subsegment.close()


def _after_call_error(exception: BaseException, context: dict[str, Any], **_: object) -> None:
    subsegment: Subsegment | None = context.pop("tap_subsegment", None)
    if subsegment is not None:
        subsegment.close(exception)


def _begin(name: str, namespace: str | None = None) -> Subsegment | None:
    parts = _trace()
    if parts is None or parts.get("Sampled") != "1":
        return None
    current = _open.get()
    parent = parts["Parent"] if current is None else current.id
    return Subsegment(name, parts["Root"], parent, namespace)


def _trace() -> dict[str, str] | None:
    parts = dict(
        pair.split("=", 1) for pair in os.environ.get("_X_AMZN_TRACE_ID", "").split(";") if "=" in pair
    )
    return parts if "Root" in parts and "Parent" in parts else None


def _send(document: Mapping[str, Any]) -> None:
    with suppress(OSError, ValueError, OverflowError):
        datagram = HEADER + json.dumps(document, separators=(",", ":")).encode()
        _socket().sendto(datagram, _daemon(os.environ.get("AWS_XRAY_DAEMON_ADDRESS", DEFAULT_DAEMON)))


@cache
def _socket() -> socket.socket:
    created = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    created.settimeout(0)
    return created


def _daemon(address: str) -> tuple[str, int]:
    """Read `host:port`, or the longer `tcp:host:port udp:host:port`."""
    for endpoint in address.split():
        if endpoint.startswith("udp:") or endpoint.count(":") == 1:
            host, _, port = endpoint.removeprefix("udp:").rpartition(":")
            return host, int(port)
    message = "no UDP address"
    raise ValueError(message)
