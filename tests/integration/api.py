"""Speaks to the deployed API as a client with AWS credentials does."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from tests.integration.target import REGION

if TYPE_CHECKING:
    from tests.integration.target import Target


@dataclass(frozen=True)
class Answer:
    """What the API answered."""

    status: int
    body: dict[str, object]


@dataclass(frozen=True)
class Api:
    """The function URL, with signed requests.

    Attributes:
        url: The stack's output `apiUrl`.
        target: Where it is. An emulator does not own the URL's name, so it is asked for it by path.
    """

    url: str
    target: Target

    def call(self, method: str, path: str, body: dict[str, object] | None = None) -> Answer:
        """Send a request, e.g. `POST items`."""
        content = b"" if body is None else json.dumps(body).encode()
        address = self._address(path)
        request = AWSRequest(method, address, data=content, headers={"Content-Type": "application/json"})
        credentials = self.target.session.get_credentials()
        assert credentials is not None
        SigV4Auth(credentials, "lambda", REGION).add_auth(request)
        parts = urlsplit(address)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=60)
        try:
            headers = {name: str(value) for name, value in request.headers.items()}
            connection.request(method, parts.path, content, headers)
            response = connection.getresponse()
            return Answer(response.status, cast("dict[str, object]", json.loads(response.read() or b"{}")))
        finally:
            connection.close()

    def _address(self, path: str) -> str:
        if not self.target.emulated:
            return f"{self.url}{path}"
        name = (urlsplit(self.url).hostname or "").partition(".")[0]
        return f"{self.target.endpoint}/_aws/lambda-url/{name}/{path}"
