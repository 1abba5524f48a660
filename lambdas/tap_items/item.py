"""An item as a client sends it: its schema, its typed model, and the names that follow from its content."""

from __future__ import annotations

import hashlib
from typing import NamedTuple, cast

from tap_items.json_text import JsonValue, canonical_json
from tap_items.schema import Schema, Violation, violations

MAX_BODY_BYTES = 256 * 1024
"""Largest item that is accepted, in bytes of its JSON text."""

ID_PATTERN = "^[0-9a-f]{32}$"

TYPE_SCHEMA: Schema = {
    "type": "string",
    "pattern": "^[a-z][a-z0-9.-]{0,63}$",
    "description": "What kind of item it is.",
}
SOURCE_SCHEMA: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 128,
    "description": "Where the item comes from.",
}
OCCURRED_AT_SCHEMA: Schema = {
    "type": "string",
    "format": "date-time",
    "description": "When it happened, with an offset (RFC 3339).",
}
TAGS_SCHEMA: Schema = {
    "type": "array",
    "maxItems": 20,
    "uniqueItems": True,
    "items": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9:._-]{0,63}$"},
    "description": "Labels to find the item by.",
}
ITEM_SCHEMA: Schema = {
    "type": "object",
    "description": "An item to take in.",
    "required": ["type", "payload"],
    "additionalProperties": False,
    "properties": {
        "type": TYPE_SCHEMA,
        "payload": {
            "type": "object",
            "description": "The content. It is stored in the data bucket only, never in the table or a log.",
        },
        "source": SOURCE_SCHEMA,
        "occurredAt": OCCURRED_AT_SCHEMA,
        "tags": TAGS_SCHEMA,
    },
}


class InvalidItemError(ValueError):
    """The value is JSON but no item; `violations` says where and why, without the values."""

    def __init__(self, problems: tuple[Violation, ...]) -> None:
        super().__init__("; ".join(f"{each.pointer or '/'} {each.detail}" for each in problems))
        self.violations = problems


class NewItem(NamedTuple):
    """A valid item."""

    type: str
    payload: dict[str, JsonValue]
    source: str | None = None
    occurred_at: str | None = None
    tags: tuple[str, ...] = ()

    def description(self) -> dict[str, str | list[str]]:
        """Return everything but the payload: what the table keeps in the attribute `data`."""
        optional = {"source": self.source, "occurredAt": self.occurred_at}
        described: dict[str, str | list[str]] = {"type": self.type}
        described.update({name: value for name, value in optional.items() if value is not None})
        if self.tags:
            described["tags"] = list(self.tags)
        return described


def read_item(value: JsonValue) -> NewItem:
    """Make an item of a JSON value.

    Raises:
        InvalidItemError: The value breaks `ITEM_SCHEMA`.
    """
    problems = tuple(violations(value, ITEM_SCHEMA))
    if problems:
        raise InvalidItemError(problems)
    members = cast("dict[str, JsonValue]", value)
    return NewItem(
        type=cast("str", members["type"]),
        payload=cast("dict[str, JsonValue]", members["payload"]),
        source=cast("str | None", members.get("source")),
        occurred_at=cast("str | None", members.get("occurredAt")),
        tags=tuple(cast("list[str]", members.get("tags", []))),
    )


def sha256_hex(content: bytes) -> str:
    """Return the checksum that goes with every stored object: SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def fingerprint(value: JsonValue) -> str:
    """Return what two items share exactly when their content is the same, however it is spaced or ordered."""
    return sha256_hex(canonical_json(value))


def item_id(*, caller: str, idempotency_key: str | None, content_fingerprint: str) -> str:
    """Return the id that a request leads to: the same for each repetition of it.

    With an idempotency key the id follows from the caller and the key; without one, from the content alone.

    Args:
        caller: Who asks; keys of different callers never meet.
        idempotency_key: The request's key, or None.
        content_fingerprint: See `fingerprint`.
    """
    basis = ["content", content_fingerprint] if idempotency_key is None else ["key", caller, idempotency_key]
    return sha256_hex(canonical_json(cast("JsonValue", basis)))[:32]


def message_record_id(message_id: str) -> str:
    """Return the id under which a queue message that names no item of ours is recorded."""
    return sha256_hex(canonical_json(["message", message_id]))[:32]
