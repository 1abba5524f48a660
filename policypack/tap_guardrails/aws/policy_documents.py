"""Policy documents, as JSON texts or as objects.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tap_guardrails.model import UNKNOWN, Absent, Known, Opaque, PropertyRef, Secret, decode

if TYPE_CHECKING:
    from tap_guardrails.model import PropertyValue, Value

DOCUMENT: Final = "a policy document in JSON"
UNREPEATED: Final = "a policy document in which no key stands twice"

ELEMENTS: Final = frozenset({"Version", "Id", "Statement"})
STATEMENT_ELEMENTS: Final = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)


class RepeatedKeyError(ValueError):
    """An object of a JSON text has a key twice: the grammar forbids it, and parsers differ on it."""


def document(node: PropertyRef) -> PropertyRef:
    """Return a property's document, parsed if it is a text.

    Returns:
        The node with the document as its value; one with a `invalid_parent` when the text is not a document.
    """
    match node.value:
        case str() as text if text and not node.invalid_parent:
            try:
                return replace(node, value=decode(json.loads(text, object_pairs_hook=unrepeated)))
            except RepeatedKeyError:
                return replace(node, invalid_parent=UNREPEATED)
            except (ValueError, RecursionError):
                return replace(node, invalid_parent=DOCUMENT)
        case "" if not node.invalid_parent:
            return replace(node, value=None)
        case _:
            return node


def unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object of its fields.

    Raises:
        RepeatedKeyError: A key stands twice.
    """
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise RepeatedKeyError
    return fields


def one_or_many(node: PropertyRef) -> PropertyValue[list[PropertyRef]]:
    """Read what the grammar lets stand by itself or in a list: statements, actions, resources.

    An empty list, which the grammar forbids, is as good as none.
    """
    if isinstance(node.value, (str, dict, bool, float)) and not node.invalid_parent:
        return Known([node], node)
    reading = node.items()
    return Absent(node) if isinstance(reading, Known) and not reading.value else reading


def strange_elements(node: PropertyRef, elements: frozenset[str]) -> list[PropertyRef]:
    """Return the elements of a document or a statement that the grammar does not know, nulls left out."""
    fields = node.entries()
    if not isinstance(fields, Known):
        return []
    return [field for name, field in fields.value.items() if name not in elements]


def has_unknown(value: Value) -> bool:
    """Tell whether anything in a value is unknown until deployment, or not to be looked into."""
    match value:
        case list():
            return any(has_unknown(item) for item in value)
        case dict():
            return any(has_unknown(item) for item in value.values())
        case Secret(inner):
            return has_unknown(inner)
        case Opaque():
            return True
        case _:
            return value is UNKNOWN


def covers(pattern: str, text: str) -> bool:
    """Tell whether a pattern of a policy matches a text: `*` is any characters, `?` is one.

    Takes time proportional to the product of the lengths at worst, whatever the pattern.
    """
    at, here, star, retry = 0, 0, -1, 0
    while here < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, retry = at, here
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[here]):
            at, here = at + 1, here + 1
        elif star >= 0:
            retry += 1
            at, here = star + 1, retry
        else:
            return False
    return not pattern[at:].strip("*")
