"""The message on the work queue: which item to process. The item itself is in the bucket."""

from __future__ import annotations

from typing import cast

from tap_items.item import ID_PATTERN
from tap_items.json_text import JsonTextError, canonical_json, parse_json
from tap_items.record import ItemKey
from tap_items.schema import Schema, violations

VERSION = 1
MAX_MESSAGE_BYTES = 4096

TIMESTAMP_SCHEMA: Schema = {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}
MESSAGE_SCHEMA: Schema = {
    "type": "object",
    "required": ["version", "id", "timestamp"],
    "additionalProperties": False,
    "properties": {
        "version": {"type": "integer", "minimum": VERSION, "maximum": VERSION},
        "id": {"type": "string", "pattern": ID_PATTERN},
        "timestamp": TIMESTAMP_SCHEMA,
    },
}


class InvalidMessageError(ValueError):
    """The text is no message of ours; says what is wrong with it, without its values."""


def encode_message(key: ItemKey) -> str:
    """Return the message that orders the processing of one item."""
    return canonical_json({"version": VERSION, "id": key.id, "timestamp": key.timestamp}).decode("ascii")


def decode_message(text: str) -> ItemKey:
    """Read which item a queue message is about.

    Raises:
        InvalidMessageError: It is not a message that `encode_message` writes.
    """
    if len(text) > MAX_MESSAGE_BYTES:
        message = f"longer than {MAX_MESSAGE_BYTES} characters"
        raise InvalidMessageError(message)
    try:
        value = parse_json(text.encode("utf-8", "surrogatepass"))
    except JsonTextError as error:
        raise InvalidMessageError(str(error)) from None
    found = tuple(violations(value, MESSAGE_SCHEMA))
    if found:
        raise InvalidMessageError("; ".join(f"{each.pointer or '/'} {each.detail}" for each in found))
    members = cast("dict[str, int | str]", value)
    return ItemKey(cast("str", members["id"]), cast("int", members["timestamp"]))
