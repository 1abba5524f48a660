"""Values that stand in for what only AWS knows: of the right type, and recognizable wherever they end up.

The evaluating side takes a marked value, or a text with one in it, for unknown:
`tapgate/analyzer/deployment.py` has the same constants, and a test compares them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.resource_schema import ResourceSchema, Type
    from tapgate.embedded.aws_provider.values import Properties, Value

MARK: Final = "tapunknown"
"""In every marked text: lower case, without separators: it survives what programs do with names."""

MARKED_NUMBER: Final = 1_618_033_988
"""Every marked number: none that a program is likely to write."""

REHEARSED: Final = "__rehearsed"
"""The output that lists those of a resource's outputs that no one knows: true and false cannot be marked."""

_DEEPEST: Final = 8


def marked_text(seed: str) -> str:
    """Return a marked text; the same for the same seed.

    Args:
        seed: What it stands for, e.g. a resource's URN and an output.
    """
    return MARK + hashlib.sha256(seed.encode()).hexdigest()[:8]


def contains_mark(value: Value) -> bool:
    """Return whether a value stands in for something, or has something inside that does."""
    if isinstance(value, list):
        return any(contains_mark(item) for item in value)
    if isinstance(value, dict):
        return any(contains_mark(item) for item in (*value, *value.values()))
    return value == MARKED_NUMBER or (isinstance(value, str) and MARK in value.lower())


def marked(kind: Type, schema: ResourceSchema, seed: str, depth: int = 0) -> Value:
    """Return a value of a type, marked as far as it can be.

    Args:
        kind: The type.
        schema: What the objects in it are.
        seed: What it stands for.
        depth: How deep in another value it is; objects may hold themselves.
    """
    if kind.kind in {"integer", "number"}:
        return MARKED_NUMBER
    if kind.kind == "boolean":
        return False
    if kind.kind == "list":
        # Programs take the first one, and spread over zones; an object may become a resource each.
        count = 1 if kind.args[0].kind in {"object", "union"} else 3
        return [marked(kind.args[0], schema, f"{seed}[{index}]", depth + 1) for index in range(count)]
    if kind.kind == "map":
        # A key that no one knows makes all of the map unknown: which others there are, no one knows.
        return {marked_text(f"{seed}[*]"): marked(kind.args[0], schema, f"{seed}[*]", depth + 1)}
    if kind.kind == "object":
        return _object(kind, schema, seed, depth)
    return marked_text(seed)


def _object(kind: Type, schema: ResourceSchema, seed: str, depth: int) -> Properties:
    if depth > _DEEPEST:
        return {}
    return {
        name: marked(prop.type, schema, f"{seed}.{name}", depth + 1)
        for name, prop in schema.properties_of(kind).items()
        if prop.required
    }
