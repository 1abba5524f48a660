"""Writes the API's OpenAPI document from the code: `python lambdas/api_document.py [--check]`.

Request schemas, patterns, limits and kinds of problems are the very objects that the code checks with.
Response schemas stand here; tests hold them against what the API answers.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api_handler import problem
from api_handler.request import CURSOR_PATTERN, DEFAULT_LIMIT, IDEMPOTENCY_PATTERN, LIMIT_SCHEMA
from processor.transform import COUNTED
from tap_items.item import ID_PATTERN, ITEM_SCHEMA, MAX_BODY_BYTES
from tap_items.record import Status
from tap_items.work_queue import CORRELATION_PATTERN, TIMESTAMP_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api_handler.problem import ProblemType

DOCUMENT = Path(__file__).parent.parent / "docs" / "openapi.json"

ITEM_EXAMPLE = {
    "type": "sensor.reading",
    "source": "greenhouse-7",
    "occurredAt": "2026-11-23T09:30:00+01:00",
    "tags": ["humidity", "raw"],
    "payload": {"sensor": " hygrometer ", "values": [41.0, 41.5], "ok": True},
}
ID_EXAMPLE = "8c0f7d0e6d0f4f6f9d9d0d5b0a3b2c1d"
CHECKSUM = {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256 of the stored object."}
TIMESTAMP = {**TIMESTAMP_SCHEMA, "description": "Time of acceptance, in ms since 1970."}
ID = {"type": "string", "pattern": ID_PATTERN}
STATUS = {"type": "string", "enum": [status.value for status in Status]}
STATES = {"type": "string", "enum": ["ok", "unavailable"]}

SCHEMAS: dict[str, Any] = {
    "NewItem": ITEM_SCHEMA,
    "Accepted": {
        "type": "object",
        "required": ["id", "timestamp", "status", "checksum"],
        "additionalProperties": False,
        "properties": {"id": ID, "timestamp": TIMESTAMP, "status": STATUS, "checksum": CHECKSUM},
    },
    "Record": {
        "type": "object",
        "description": "What is known of an item; its payload is not part of it.",
        "required": [
            *(
                "id",
                "timestamp",
                "status",
                "checksum",
                "size",
                "data",
                "correlationId",
                "updatedAt",
                "attempts",
            )
        ],
        "additionalProperties": False,
        "properties": {
            "id": ID,
            "timestamp": TIMESTAMP,
            "status": STATUS,
            "checksum": CHECKSUM,
            "size": {"type": "integer", "minimum": 0, "description": "Of the stored object, in bytes."},
            "data": {
                "type": "object",
                "description": "type, source, occurredAt and tags as sent; messageId for a foreign message.",
            },
            "correlationId": {"type": "string"},
            "updatedAt": {"type": "integer", "description": "Last change of the record, in ms since 1970."},
            "attempts": {"type": "integer", "minimum": 0, "description": "Deliveries that failed so far."},
            "reason": {"type": "string", "description": "Why it was rejected, or the last attempt failed."},
            "result": {
                "type": "object",
                "description": "Counts of the processed payload.",
                "required": list(COUNTED),
                "additionalProperties": False,
                "properties": {name: {"type": "integer", "minimum": 0} for name in COUNTED},
            },
        },
    },
    "Page": {
        "type": "object",
        "required": ["items"],
        "additionalProperties": False,
        "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Record"}},
            "nextCursor": {"type": "string", "description": "Absent on the last page."},
        },
    },
    "Health": {
        "type": "object",
        "required": ["status", "dependencies"],
        "additionalProperties": False,
        "properties": {
            "status": {"const": "ok"},
            "dependencies": {"type": "object", "additionalProperties": STATES},
        },
    },
    "Problem": {
        "type": "object",
        "description": "Problem details (RFC 9457).",
        "required": ["type", "title", "status", "detail", "correlationId"],
        "properties": {
            "type": {
                "type": "string",
                "enum": [problem.TYPE_PREFIX + one.name for one in problem.PROBLEM_TYPES],
            },
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "correlationId": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "detail"],
                    "properties": {
                        "pointer": {"type": "string", "description": "JSON Pointer into the body."},
                        "detail": {"type": "string"},
                    },
                },
            },
            "dependencies": {"type": "object", "additionalProperties": STATES},
        },
    },
}

CORRELATION_HEADER = {
    "name": "X-Correlation-Id",
    "in": "header",
    "description": "Comes back in the response and goes into each log line. One that does not match "
    f"{CORRELATION_PATTERN} is replaced by a new one.",
    "schema": {"type": "string"},
}
IDEMPOTENCY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "One caller's requests with one key are one request. Without a key, the content decides.",
    "schema": {"type": "string", "pattern": IDEMPOTENCY_PATTERN},
}


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TAP ingestion API",
            "version": "1.0.0",
            "description": "Ingests items, passes them to the processor, and serves their status.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "https://{urlId}.lambda-url.{region}.on.aws",
                "description": "The stack's output apiUrl.",
                "variables": {"urlId": {"default": "example"}, "region": {"default": "eu-west-2"}},
            }
        ],
        "security": [{"sigv4": []}],
        "paths": {
            "/items": {"post": _post_item(), "get": _list_items()},
            "/items/{id}": {"get": _get_item()},
            "/health": {"get": _get_health()},
        },
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "sigv4": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "description": "AWS Signature Version 4, service `lambda`.",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                }
            },
        },
    }


def _post_item() -> dict[str, Any]:
    replayed = {"type": "string", "enum": ["true", "false"]}
    accepted = _answer("Accepted: stored, recorded and on the work queue.", "Accepted")
    accepted["headers"] |= {
        "Location": {"description": "The item's path.", "schema": {"type": "string"}},
        "Idempotent-Replayed": {"description": "An earlier request had brought it.", "schema": replayed},
    }
    example = {"reading": {"summary": "A sensor's reading", "value": ITEM_EXAMPLE}}
    schema = {"$ref": "#/components/schemas/NewItem"}
    return {
        "operationId": "postItem",
        "summary": "Ingest an item",
        "parameters": [IDEMPOTENCY_HEADER, CORRELATION_HEADER],
        "requestBody": {
            "required": True,
            "description": f"At most {MAX_BODY_BYTES} bytes of UTF-8; no name twice in one object.",
            "content": {"application/json": {"schema": schema, "examples": example}},
        },
        "responses": {
            "202": accepted,
            **_problems(
                problem.MALFORMED_REQUEST,
                problem.INVALID_PARAMETER,
                problem.TOO_LARGE,
                problem.UNSUPPORTED_MEDIA_TYPE,
                problem.INVALID_ITEM,
                problem.KEY_REUSED,
            ),
        },
    }


def _list_items() -> dict[str, Any]:
    limit = {"name": "limit", "in": "query", "schema": {**LIMIT_SCHEMA, "default": DEFAULT_LIMIT}}
    cursor = {
        "name": "cursor",
        "in": "query",
        "description": "The `nextCursor` of the page before.",
        "schema": {"type": "string", "pattern": CURSOR_PATTERN},
    }
    return {
        "operationId": "listItems",
        "summary": "Page through all records, in no order",
        "parameters": [limit, cursor, CORRELATION_HEADER],
        "responses": {"200": _answer("A page.", "Page"), **_problems(problem.INVALID_PARAMETER)},
    }


def _get_item() -> dict[str, Any]:
    item_id = {"name": "id", "in": "path", "required": True, "schema": ID, "example": ID_EXAMPLE}
    return {
        "operationId": "getItem",
        "summary": "Status of an item",
        "parameters": [item_id, CORRELATION_HEADER],
        "responses": {
            "200": _answer("The item's youngest record.", "Record"),
            **_problems(problem.INVALID_PARAMETER, problem.NOT_FOUND),
        },
    }


def _get_health() -> dict[str, Any]:
    return {
        "operationId": "getHealth",
        "summary": "Whether table, bucket and queue answer",
        "parameters": [CORRELATION_HEADER],
        "responses": {"200": _answer("All of them answer.", "Health"), **_problems()},
    }


def _answer(description: str, schema: str, content_type: str = "application/json") -> dict[str, Any]:
    return {
        "description": description,
        "headers": {"X-Correlation-Id": {"schema": {"type": "string"}}},
        "content": {content_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _problems(*types: ProblemType) -> dict[str, Any]:
    """Return the responses of a route's problems, and of those that each route has."""
    every = (*types, problem.METHOD_NOT_ALLOWED, problem.INTERNAL, problem.UNAVAILABLE)
    statuses = sorted({one.status for one in every})
    return {str(status): _problem_answer(one for one in every if one.status == status) for status in statuses}


def _problem_answer(types: Iterable[ProblemType]) -> dict[str, Any]:
    described = "; ".join(f"`{one.name}`: {one.title[0].lower()}{one.title[1:]}" for one in types)
    return _answer(described + ".", "Problem", problem.CONTENT_TYPE)


def main(arguments: list[str]) -> int:
    """Write the document, or with `--check` tell whether the one that is there is right; the exit code."""
    text = json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
    if "--check" not in arguments:
        DOCUMENT.write_text(text, "utf-8")
        return 0
    if DOCUMENT.is_file() and DOCUMENT.read_text("utf-8") == text:
        return 0
    sys.stderr.write(
        f"docs/{DOCUMENT.name} is not what the code says, so clients would be misled. "
        "Write it again: python lambdas/api_document.py\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
