"""Where inside a Python program's call a property is written."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def property_line(file: Path, line: int, steps: Sequence[str | int]) -> int | None:
    """Return the line of the deepest part of a property path that is written out in a call.

    Args:
        file: the program's file.
        line: a line of the call that declares the resource.
        steps: the property's path, in the provider's spelling (`enableKeyRotation`).

    Returns:
        The line, or nothing when the file is not Python or the call does not name the property.
    """
    if file.suffix != ".py" or not steps:
        return None
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, ValueError, SyntaxError, RecursionError):
        return None
    calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call) and _spans(one, line)]
    # The innermost call around the line is the one that the line belongs to.
    calls.sort(key=lambda one: (one.end_lineno or one.lineno) - one.lineno)
    return next((found for call in calls if (found := _deepest(call, steps)) is not None), None)


def _spans(call: ast.Call, line: int) -> bool:
    return call.lineno <= line <= (call.end_lineno or call.lineno)


def _deepest(node: ast.expr, steps: Sequence[str | int]) -> int | None:
    """Follow the path from a call or a literal as far as it is written out."""
    line: int | None = None
    for step in steps:
        found = next((part for name, part in _parts(node) if name == step), None)
        if found is None:
            break
        line, node = found.lineno, found
    return line


def _parts(node: ast.expr) -> Iterator[tuple[str | int, ast.expr]]:
    """Yield what a call, a dictionary or a list holds, names in the provider's spelling."""
    match node:
        case ast.Call():
            for keyword in node.keywords:
                if keyword.arg is not None:
                    yield _camel(keyword.arg), keyword.value
        case ast.Dict():
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value
                    yield _camel(key.value), value
        case ast.List() | ast.Tuple():
            yield from enumerate(node.elts)
        case _:
            return


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
