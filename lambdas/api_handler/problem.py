"""Errors as clients see them: problem details (RFC 9457), a type for each kind of error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tap_items.json_text import JsonValue
    from tap_items.schema import Violation

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:tap:problem:"


class ProblemType(NamedTuple):
    """A problem type: the end of its type URN, its status, and its title."""

    name: str
    status: int
    title: str


MALFORMED_REQUEST = ProblemType("malformed-request", 400, "The request is malformed")
INVALID_PARAMETER = ProblemType("invalid-parameter", 400, "A parameter is invalid")
NOT_FOUND = ProblemType("not-found", 404, "Not found")
METHOD_NOT_ALLOWED = ProblemType("method-not-allowed", 405, "The method is not allowed here")
TOO_LARGE = ProblemType("too-large", 413, "The item is too large")
UNSUPPORTED_MEDIA_TYPE = ProblemType("unsupported-media-type", 415, "The content type is not supported")
INVALID_ITEM = ProblemType("invalid-item", 422, "The item is invalid")
KEY_REUSED = ProblemType("idempotency-key-reused", 422, "The idempotency key belongs to another item")
INTERNAL = ProblemType("internal", 500, "The service failed")
UNAVAILABLE = ProblemType("unavailable", 503, "The service is unavailable for the moment")

PROBLEM_TYPES = tuple(one for one in list(vars().values()) if isinstance(one, ProblemType))


class ProblemError(Exception):
    """A request that cannot be served; `detail` and `violations` never repeat what was sent."""

    def __init__(
        self,
        problem_type: ProblemType,
        detail: str,
        *,
        violations: tuple[Violation, ...] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, JsonValue] | None = None,
    ) -> None:
        super().__init__(detail)
        self.type = problem_type
        self.detail = detail
        self.violations = violations
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    def body(self, correlation_id: str) -> dict[str, JsonValue]:
        """Return the problem document."""
        document: dict[str, JsonValue] = {
            "type": TYPE_PREFIX + self.type.name,
            "title": self.type.title,
            "status": self.type.status,
            "detail": self.detail,
            "correlationId": correlation_id,
        }
        if self.violations:
            document["errors"] = [
                {"pointer": each.pointer, "detail": each.detail} for each in self.violations
            ]
        document.update(self.extra)
        return document
