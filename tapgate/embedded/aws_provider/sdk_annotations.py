"""Reads types out of the annotations of pulumi_aws's generated source."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING, Literal, Protocol

from tapgate.embedded.aws_provider.resource_schema import Kind, Type

if TYPE_CHECKING:
    from collections.abc import Iterator

Side = Literal["inputs", "outputs"]

_PRIMITIVES: dict[str, Kind] = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_OTHER_PACKAGE = "pulumi_"
"""How the name of a class of another package's SDK begins."""
_TRANSPARENT = frozenset({"pulumi.Input", "pulumi.Output", "Optional"})


class References(Protocol):
    """Where the classes are known by which annotations refer to nested objects and enumerations."""

    def refer(self, reference: str, side: Side) -> str:
        """Return the name of an object's type, e.g. for `KeyArgs` or `_iam.PolicyStatementArgs`."""
        ...

    def enumeration(self, reference: str) -> str:
        """Return the name of an enumeration's type, e.g. for `Runtime`; empty to take it as any text."""
        ...


def read(annotation: str, references: References, side: Side) -> tuple[Type, bool]:
    """Read an annotation.

    Args:
        annotation: Its text, e.g. `pulumi.Input[Optional[_builtins.int]]`.
        references: Where nested objects are known.
        side: Whether it is of something that a program gives or that it gets.

    Returns:
        The type, and whether there may be no value.
    """
    tree = _parse(annotation)
    while isinstance(tree, ast.Subscript) and _dotted(tree.value) in {"pulumi.Input", "pulumi.Output"}:
        tree = tree.slice
    may_miss = isinstance(tree, ast.Subscript) and _dotted(tree.value) == "Optional"
    return _type(tree, references, side), may_miss


def _type(tree: ast.expr, references: References, side: Side) -> Type:
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        return _reference(tree.value, references, side)
    if isinstance(tree, ast.Subscript):
        return _generic(tree, references, side)
    dotted = _dotted(tree)
    if dotted == "Any":
        return Type("any")
    if dotted in {"pulumi.Asset", "pulumi.Archive"}:
        return Type("asset" if dotted.endswith("Asset") else "archive")
    return Type(_PRIMITIVES.get(dotted.removeprefix("_builtins."), "any"))


def _generic(tree: ast.Subscript, references: References, side: Side) -> Type:
    name = _dotted(tree.value)
    inner = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
    if name in _TRANSPARENT:
        return _type(inner[0], references, side)
    if name == "Sequence":
        return Type("list", args=(_type(inner[0], references, side),))
    if name == "Mapping":
        return Type("map", args=(_type(inner[1], references, side),))
    choices = tuple(dict.fromkeys(_type(choice, references, side) for choice in _once(inner)))
    return choices[0] if len(choices) == 1 else Type("union", args=choices)


def _once(choices: list[ast.expr]) -> Iterator[ast.expr]:
    """Leave out the other Python forms of an object that a function takes as well."""
    for choice in choices:
        text = choice.value if isinstance(choice, ast.Constant) else None
        if not (isinstance(text, str) and (text.endswith("ArgsDict") or text.startswith("outputs.Get"))):
            yield choice


def _reference(reference: str, references: References, side: Side) -> Type:
    if reference.startswith(_OTHER_PACKAGE):
        return Type("any")
    # A name without `Args` on the input side is an enumeration, as is one without a module on the other.
    if not reference.endswith("Args") if side == "inputs" else "." not in reference:
        return Type("string", references.enumeration(reference))
    return Type("object", references.refer(reference, side))


@functools.lru_cache(maxsize=4096)
def _parse(annotation: str) -> ast.expr:
    return ast.parse(annotation, mode="eval").body


def _dotted(tree: ast.expr) -> str:
    if isinstance(tree, ast.Name):
        return tree.id
    return f"{_dotted(tree.value)}.{tree.attr}" if isinstance(tree, ast.Attribute) else ast.unparse(tree)
