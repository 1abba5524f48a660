"""JSON texts as Go's encoder writes them, so that documents come out as pulumi-aws's do, byte for byte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.embedded.aws_provider.values import Value

_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def dump(document: Value | Mapping[str, object], *, indent: int | None = None, sort: bool = True) -> str:
    """Write a JSON document as Go's encoding/json does: keys sorted, no spaces, `<`, `>` and `&` escaped.

    Args:
        document: What to write; nothing unknown in it.
        indent: Spaces a level for the indented form, None for the compact one.
        sort: Whether to sort keys, as Go does with maps but not with structs.
    """
    separators = (",", ": ") if indent is not None else (",", ":")
    text = json.dumps(document, ensure_ascii=False, sort_keys=sort, indent=indent, separators=separators)
    # These characters occur inside strings only, never in JSON's own syntax.
    return text.translate(_ESCAPES)
