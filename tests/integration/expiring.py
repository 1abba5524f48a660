"""An endpoint in front of an emulator that takes requests for a while, then no more: credentials expire."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import threading
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

WORDS = "The security token included in the request is expired"
_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Expiring(http.server.ThreadingHTTPServer):
    """The endpoint.

    Attributes:
        left: How many requests the credentials are good for.
        refused: How many came too late.
    """

    daemon_threads = True

    def __init__(self, endpoint: str, left: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = urlsplit(endpoint).netloc
        self.left = left
        self.refused = 0
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"

    def takes_one(self) -> bool:
        """Count a request; tell whether the credentials still hold."""
        with self._lock:
            self.left -= 1
            self.refused += self.left < 0
            return self.left >= 0


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def _endpoint(self) -> Expiring:
        return cast("Expiring", self.server)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Answer each method of HTTP alike: the base class looks for `do_GET` and the like."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self._endpoint.takes_one():
            self._pass_on(content)
        else:
            self._refuse()

    def _pass_on(self, content: bytes) -> None:
        connection = http.client.HTTPConnection(self._endpoint.behind, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        connection.request(self.command, self.path, content, headers)
        response = connection.getresponse()
        body = response.read()
        kept = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP]
        self._send(response.status, kept, body)
        connection.close()

    def _refuse(self) -> None:
        """Refuse as AWS does, in the form that the service asked speaks."""
        if self.headers.get("X-Amz-Target") or self.path.startswith("/20"):
            body = json.dumps({"__type": "ExpiredTokenException", "message": WORDS}).encode()
            kind = [
                ("x-amzn-errortype", "ExpiredTokenException"),
                ("Content-Type", "application/x-amz-json-1.1"),
            ]
            self._send(403, kind, body)
            return
        error = f"<Error><Code>ExpiredToken</Code><Message>{WORDS}</Message></Error>"
        asked = self.headers.get("Content-Type", "")
        body = f"<ErrorResponse>{error}</ErrorResponse>" if "form-urlencoded" in asked else error
        self._send(403, [("Content-Type", "text/xml")], body.encode())

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextlib.contextmanager
def expiring(endpoint: str, requests: int) -> Generator[Expiring]:
    """Serve such an endpoint while the block runs."""
    with Expiring(endpoint, requests) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
