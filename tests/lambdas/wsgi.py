"""The API handler behind WSGI, as a function URL puts it behind HTTP; for tools that speak HTTP."""

from __future__ import annotations

import base64
import http
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, unquote

import api_handler.app
from tests.lambdas.calls import context, http_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Serve one request."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    headers = {
        name.removeprefix("HTTP_").replace("_", "-"): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name == "CONTENT_TYPE"
    }
    query: dict[str, str] = {}
    for name, value in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    event = http_event(
        environ["REQUEST_METHOD"],
        unquote(environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")),
        body=environ["wsgi.input"].read(length) if length else None,
        headers=headers,
        query=query,
    )
    response = cast("dict[str, Any]", api_handler.app.handler(event, context()))
    body = response["body"] or ""
    content = base64.b64decode(body) if response.get("isBase64Encoded") else body.encode()
    status = http.HTTPStatus(response["statusCode"])
    start_response(f"{status.value} {status.phrase}", list(response["headers"].items()))
    return [content]
