"""An HTTP request of payload format 2.0 (function URL, HTTP API), read strictly."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import NamedTuple, cast

from api_handler.problem import (
    INVALID_PARAMETER,
    MALFORMED_REQUEST,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    ProblemError,
)
from tap_items.item import MAX_BODY_BYTES
from tap_items.json_text import JsonTextError, JsonValue, parse_json
from tap_items.record import ItemKey
from tap_items.schema import Schema, violations
from tap_items.work_queue import correlation_id_or

IDEMPOTENCY_PATTERN = "^[!-~]{1,128}$"

_JSON = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE)


class HttpRequest(NamedTuple):
    """A request.

    Attributes:
        method: In upper case.
        headers: Their names in lower case.
        caller: Who signed the request, as IAM names them, without the session's name; empty when no one did.
        correlation_id: The client's `X-Correlation-Id` when it sent a usable one, else the invocation's id.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    text: str
    is_base64: bool
    caller: str
    correlation_id: str

    def idempotency_key(self) -> str | None:
        """Return the request's idempotency key, or None when it has none.

        Raises:
            ProblemError: The key is empty, too long, or not visible ASCII.
        """
        given = self.headers.get("idempotency-key")
        if given is not None and not re.fullmatch(IDEMPOTENCY_PATTERN, given):
            raise ProblemError(
                INVALID_PARAMETER, "Idempotency-Key must be 1 to 128 visible ASCII characters."
            )
        return given

    def json(self) -> tuple[bytes, JsonValue]:
        """Return the body: its bytes as sent, and the JSON value that they write.

        Raises:
            ProblemError: 415 when it is not said to be JSON, 413 when it is too large, 400 when it is none.
        """
        said = self.headers.get("content-type", "").strip()
        if not _JSON.fullmatch(said) or "content-encoding" in self.headers:
            raise ProblemError(
                UNSUPPORTED_MEDIA_TYPE,
                "Send Content-Type: application/json, in UTF-8, without a Content-Encoding.",
                headers={"Accept": "application/json"},
            )
        content = self._content()
        if len(content) > MAX_BODY_BYTES:
            raise ProblemError(TOO_LARGE, f"An item may have {MAX_BODY_BYTES} bytes, not {len(content)}.")
        try:
            return content, parse_json(content)
        except JsonTextError as error:
            raise ProblemError(MALFORMED_REQUEST, f"The body cannot be read: {error}.") from None

    def _content(self) -> bytes:
        if not self.is_base64:
            return self.text.encode("utf-8", "surrogatepass")
        try:
            return base64.b64decode(self.text, validate=True)
        except (binascii.Error, ValueError):
            raise ProblemError(
                MALFORMED_REQUEST, "The body is not the base64 that it is said to be."
            ) from None


def read_request(event: Mapping[str, JsonValue], invocation_id: str) -> HttpRequest:
    """Read an event that has a `requestContext`.

    Raises:
        ProblemError: The event is not of payload format 2.0.
    """
    context = _members(event, "requestContext")
    http = _members(context, "http")
    method, path, text = http.get("method"), event.get("rawPath"), event.get("body")
    if not isinstance(method, str) or not isinstance(path, str) or not isinstance(text, str | None):
        raise ProblemError(MALFORMED_REQUEST, "The event is no HTTP request of payload format 2.0.")
    headers = {name.lower(): value for name, value in _texts(event, "headers").items()}
    return HttpRequest(
        method=method.upper(),
        path=path,
        headers=headers,
        query=_texts(event, "queryStringParameters"),
        text=text or "",
        is_base64=event.get("isBase64Encoded") is True,
        caller=_caller(_members(_members(context, "authorizer"), "iam")),
        correlation_id=correlation_id_or(headers.get("x-correlation-id"), invocation_id),
    )


def _caller(identity: Mapping[str, JsonValue]) -> str:
    account, user = identity.get("accountId"), identity.get("userId")
    return f"{account}:{user.partition(':')[0]}" if isinstance(user, str) else ""


def _members(event: Mapping[str, JsonValue], name: str) -> Mapping[str, JsonValue]:
    members = event.get(name)
    if members is None:
        return {}
    if not isinstance(members, dict):
        raise ProblemError(MALFORMED_REQUEST, f"The event's {name} must be an object.")
    return members


def _texts(event: Mapping[str, JsonValue], name: str) -> dict[str, str]:
    members = _members(event, name)
    if not all(isinstance(value, str) for value in members.values()):
        raise ProblemError(MALFORMED_REQUEST, f"The event's {name} must map names to strings.")
    return cast("dict[str, str]", dict(members))


LIMIT_SCHEMA: Schema = {"type": "integer", "minimum": 1, "maximum": 100}
DEFAULT_LIMIT = 20
CURSOR_PATTERN = "^[0-9a-f]{32}-[0-9]{1,15}$"
"""The last record's id and timestamp (ms since 1970, below `record.END_OF_TIME`)."""


def write_cursor(key: ItemKey) -> str:
    """Return the cursor that goes on after a key."""
    return f"{key.id}-{key.timestamp}"


def read_page(query: Mapping[str, str]) -> tuple[int, ItemKey | None]:
    """Read `limit` and `cursor` from a query.

    Raises:
        ProblemError: One of them is invalid, or there is any other parameter.
    """
    if query.keys() - {"limit", "cursor"}:
        raise ProblemError(INVALID_PARAMETER, "The query may hold `limit` and `cursor`, nothing else.")
    return _limit(query.get("limit")), _cursor(query.get("cursor"))


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not re.fullmatch("[0-9]{1,3}", text) or tuple(violations(int(text), LIMIT_SCHEMA)):
        raise ProblemError(
            INVALID_PARAMETER,
            f"limit must be a whole number from {LIMIT_SCHEMA['minimum']} to {LIMIT_SCHEMA['maximum']}.",
        )
    return int(text)


def _cursor(text: str | None) -> ItemKey | None:
    if text is None:
        return None
    if not re.fullmatch(CURSOR_PATTERN, text):
        raise ProblemError(INVALID_PARAMETER, "cursor must be the `nextCursor` of an earlier page.")
    item_id, _, timestamp = text.partition("-")
    return ItemKey(item_id, int(timestamp))
