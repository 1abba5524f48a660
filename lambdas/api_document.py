"""Writes the API's OpenAPI document from the code: `python lambdas/api_document.py [--check]`.

Request schemas, patterns, limits and kinds of problems are the very objects that the code checks with. The
rest is in `api_document.yaml`; tests hold its response schemas against what the API answers.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

from api_handler import problem
from api_handler.request import CURSOR_PATTERN, DEFAULT_LIMIT, IDEMPOTENCY_PATTERN, LIMIT_SCHEMA
from processor.transform import COUNTED
from tap_items.item import ID_PATTERN, ITEM_SCHEMA, MAX_BODY_BYTES
from tap_items.record import Status
from tap_items.work_queue import CORRELATION_PATTERN, TIMESTAMP_SCHEMA

if TYPE_CHECKING:
    from api_handler.problem import ProblemType

DOCUMENT = Path(__file__).parent.parent / "docs" / "openapi.json"
ITEM_EXAMPLE = {
    "type": "sensor.reading",
    "source": "greenhouse-7",
    "occurredAt": "2026-11-23T09:30:00+01:00",
    "tags": ["humidity", "raw"],
    "payload": {"sensor": " hygrometer ", "values": [41.0, 41.5], "ok": True},
}
NAMES: dict[str, Any] = {
    "CORRELATION_PATTERN": CORRELATION_PATTERN,
    "COUNTED": list(COUNTED),
    "COUNTS": {name: {"type": "integer", "minimum": 0} for name in COUNTED},
    "CURSOR_PATTERN": CURSOR_PATTERN,
    "ID": {"type": "string", "pattern": ID_PATTERN},
    "IDEMPOTENCY_PATTERN": IDEMPOTENCY_PATTERN,
    "ITEM_EXAMPLE": ITEM_EXAMPLE,
    "ITEM_SCHEMA": ITEM_SCHEMA,
    "LIMIT": {**LIMIT_SCHEMA, "default": DEFAULT_LIMIT},
    "MAX_BODY_BYTES": MAX_BODY_BYTES,
    "PROBLEM_URNS": [problem.TYPE_PREFIX + one.name for one in problem.PROBLEM_TYPES],
    "STATUSES": [status.value for status in Status],
    "TIMESTAMP": {**TIMESTAMP_SCHEMA, "description": "Time of acceptance, in ms since 1970."},
}


class _Loader(yaml.SafeLoader):
    """Reads `api_document.yaml`, whose tags are explained there."""

    def code(self, scalar: yaml.ScalarNode) -> object:
        return NAMES[str(self.construct_scalar(scalar))]

    def text(self, scalar: yaml.ScalarNode) -> str:
        return str(self.construct_scalar(scalar)).format(**NAMES)

    def answer(self, members: yaml.MappingNode) -> dict[str, Any]:
        return _answer(**cast("dict[str, Any]", self.construct_mapping(members, deep=True)))

    def responses(self, members: yaml.MappingNode) -> dict[str, Any]:
        """Return the responses of a route: its answers, its problems, and those that each route has."""
        given = cast("dict[str, Any]", self.construct_mapping(members, deep=True))
        own: list[ProblemType] = [getattr(problem, name) for name in given.pop("problems")]
        every = (*own, problem.METHOD_NOT_ALLOWED, problem.INTERNAL, problem.UNAVAILABLE)
        for status in sorted({one.status for one in every}):
            given[str(status)] = _problem_answer(one for one in every if one.status == status)
        return given


for _tag in ("code", "text", "answer", "responses"):
    _Loader.add_constructor(f"!{_tag}", getattr(_Loader, _tag))


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    return yaml.load(Path(__file__).with_suffix(".yaml").read_text("utf-8"), _Loader)  # noqa: S506 - a safe one


def _answer(
    description: str,
    schema: str,
    content_type: str = "application/json",
    headers: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "description": description,
        "headers": {"X-Correlation-Id": {"schema": {"type": "string"}}, **(headers or {})},
        "content": {content_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


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
