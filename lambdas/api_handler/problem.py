"""Errors as clients see them: problem details (RFC 9457), one type a kind of error."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_items.json_text import JsonValue
    from tap_items.schema import Violation

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:tap:problem:"


class Kind(NamedTuple):
    """A kind of problem: the end of its type URN, its status, and its title."""

    name: str
    status: int
    title: str


MALFORMED_REQUEST = Kind("malformed-request", 400, "The request is malformed")
INVALID_PARAMETER = Kind("invalid-parameter", 400, "A parameter is invalid")
NOT_FOUND = Kind("not-found", 404, "Not found")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "The method is not allowed here")
TOO_LARGE = Kind("too-large", 413, "The item is too large")
UNSUPPORTED_MEDIA_TYPE = Kind("unsupported-media-type", 415, "The content type is not supported")
INVALID_ITEM = Kind("invalid-item", 422, "The item is invalid")
KEY_REUSED = Kind("idempotency-key-reused", 422, "The idempotency key belongs to another item")
INTERNAL = Kind("internal", 500, "The service failed")
UNAVAILABLE = Kind("unavailable", 503, "The service is unavailable for the moment")

KINDS = (
    MALFORMED_REQUEST,
    INVALID_PARAMETER,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    INVALID_ITEM,
    KEY_REUSED,
    INTERNAL,
    UNAVAILABLE,
)


class ProblemError(Exception):
    """A request that cannot be served; `detail` and `violations` never repeat what was sent."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        violations: tuple[Violation, ...] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, JsonValue] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.violations = violations
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    def body(self, correlation_id: str) -> dict[str, JsonValue]:
        """Return the problem document."""
        document: dict[str, JsonValue] = {
            "type": TYPE_PREFIX + self.kind.name,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "correlationId": correlation_id,
        }
        if self.violations:
            document["errors"] = [
                {"pointer": each.pointer, "detail": each.detail} for each in self.violations
            ]
        document.update(self.extra)
        return document
