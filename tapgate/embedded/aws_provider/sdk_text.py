"""Cuts classes, properties and functions out of pulumi_aws's generated source, which has one strict form.

The types of properties are read out of its annotations.
"""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from tapgate.embedded.aws_provider.resource_schema import Base, Type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_GETTER = re.compile(
    r"    @pulumi\.getter(?:\(name=\"(?P<name>\w+)\"\))?\n"
    r"(?:    @.*\n)*"
    r"    def (?P<py>\w+)\(self\) -> (?P<type>.*):\n"
    r"(?:        \"\"\"\n(?P<doc>(?:(?!        \"\"\").*\n)*)        \"\"\")?"
)
_ARGUMENT = re.compile(
    r"^                 (?P<py>\w+): (?P<type>.*?)(?P<default> = None)?(?:,|\):)$", re.MULTILINE
)
# A literal start is searched for ten times faster than the start of a line.
_CLASS = re.compile(r"\nclass (\w+)")
_CLASS_END = re.compile(r"^(?:@pulumi\.|class )", re.MULTILINE)
_FUNCTION = re.compile(
    r"^def \w+_output\((?P<arguments>[^)]*)\) -> pulumi\.Output\[(?P<result>[\w.]+)\]:\n", re.MULTILINE
)
# Version 3 has only the form without outputs.
_OLDEST_FUNCTION = re.compile(
    r"^def \w+\((?P<arguments>[^)]*)\) -> Awaitable(?P<result>\w+):\n", re.MULTILINE
)
# Until version 6 the two wrappers are the other way round.
_FUNCTION_ARGUMENT = re.compile(
    r"^ *(?P<py>\w+): (?:pulumi\.Input\[Optional|Optional\[pulumi\.Input)\[(?P<type>.*)\]\] = None,?$"
    r"|^ *(?P<oldest>\w+): (?P<bare>Optional\[(?!pulumi\.I).*\]) = None,?$",
    re.MULTILINE,
)
_FUNCTION_NAME = re.compile(r"^    __args__\['(?P<name>\w+)'\] = (?P<py>\w+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Getter:
    """One property of a class."""

    name: str
    py: str
    annotation: str
    doc: str


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and gives.

    Attributes:
        arguments: Annotation by camelCase name; one that begins with `Optional[` may be left out.
        result: The class of its result.
    """

    arguments: Mapping[str, str]
    result: str


def getters(body: str) -> Iterator[Getter]:
    """Yield the properties of a class."""
    for match in _GETTER.finditer(body):
        yield Getter(match["name"] or match["py"], match["py"], match["type"], match["doc"] or "")


def required_arguments(body: str) -> frozenset[str]:
    """Return the Python names of those arguments of a class that have no default."""
    signature = body[: body.index("):\n") + 3]
    return frozenset(match["py"] for match in _ARGUMENT.finditer(signature) if match["default"] is None)


def signature(path: Path) -> Signature | None:
    """Read the function that a file defines; None when it defines none."""
    text = source(path)
    definition = _FUNCTION.search(text) or _OLDEST_FUNCTION.search(text)
    if definition is None:
        return None
    names = {match["py"]: match["name"] for match in _FUNCTION_NAME.finditer(text)}
    stated = (
        (one["py"] or one["oldest"], one["type"] or one["bare"])
        for one in _FUNCTION_ARGUMENT.finditer(definition["arguments"])
    )
    arguments = {names[py]: annotation for py, annotation in stated if py in names}
    return Signature(arguments, definition["result"])


def class_body(path: Path, name: str) -> str | None:
    """Return the text of a class; None when the file has no such class."""
    start = classes(path).get(name)
    if start is None:
        return None
    text = source(path)
    end = _CLASS_END.search(text, start + 1)
    return text[start : end.start() if end else len(text)]


@functools.lru_cache(maxsize=64)
def classes(path: Path) -> dict[str, int]:
    """Return where each class of a file begins."""
    return {match[1]: match.start() + 1 for match in _CLASS.finditer(source(path))}


@functools.lru_cache(maxsize=64)
def source(path: Path) -> str:
    """Return a file's text; nothing when there is no such file."""
    return path.read_text("utf-8") if path.is_file() else ""


Direction = Literal["inputs", "outputs"]

_PRIMITIVES: dict[str, Base] = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
ENUM_VALUE = re.compile(r"^    \w+ = (\"[^\"]*\")", re.MULTILINE)
_OTHER_PACKAGE = "pulumi_"
"""How the name of a class of another package's SDK begins."""
_TRANSPARENT = frozenset({"pulumi.Input", "pulumi.InputType", "pulumi.Output", "Optional"})


class References(Protocol):
    """Where the classes are known by which annotations refer to nested objects and enumerations."""

    def refer(self, reference: str, direction: Direction) -> str:
        """Return the name of an object's type, e.g. for `KeyArgs` or `_iam.PolicyStatementArgs`."""
        ...

    def enumeration(self, reference: str) -> Type:
        """Return the type of an enumeration, e.g. for `Runtime`."""
        ...


def read_annotation(annotation: str, references: References, direction: Direction) -> tuple[Type, bool]:
    """Read an annotation.

    Args:
        annotation: Its text, e.g. `pulumi.Input[Optional[_builtins.int]]`.
        references: Where nested objects are known.
        direction: Whether it is of something that a program gives or that it gets.

    Returns:
        The type, and whether there may be no value.
    """
    tree = _parse(annotation)
    while isinstance(tree, ast.Subscript) and _dotted(tree.value) in {"pulumi.Input", "pulumi.Output"}:
        tree = tree.slice
    may_miss = isinstance(tree, ast.Subscript) and _dotted(tree.value) == "Optional"
    return _type(tree, references, direction), may_miss


def _type(tree: ast.expr, references: References, direction: Direction) -> Type:
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        return _reference(tree.value, references, direction)
    if isinstance(tree, ast.Subscript):
        return _generic(tree, references, direction)
    dotted = _dotted(tree)
    if dotted == "Any":
        return Type("any")
    if dotted in {"pulumi.Asset", "pulumi.Archive"}:
        return Type("asset" if dotted.endswith("Asset") else "archive")
    return Type(_PRIMITIVES.get(dotted.removeprefix("_").removeprefix("builtins."), "any"))


def _generic(tree: ast.Subscript, references: References, direction: Direction) -> Type:
    name = _dotted(tree.value)
    inner = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
    if name in _TRANSPARENT:
        return _type(inner[0], references, direction)
    if name == "Sequence":
        return Type("list", args=(_type(inner[0], references, direction),))
    if name == "Mapping":
        return Type("map", args=(_type(inner[1], references, direction),))
    choices = tuple(dict.fromkeys(_type(variant, references, direction) for variant in _once(inner)))
    return choices[0] if len(choices) == 1 else Type("union", args=choices)


def _once(choices: list[ast.expr]) -> Iterator[ast.expr]:
    """Leave out the other Python forms of an object that a function takes as well."""
    for variant in choices:
        text = variant.value if isinstance(variant, ast.Constant) else None
        if not (isinstance(text, str) and (text.endswith("ArgsDict") or text.startswith("outputs.Get"))):
            yield variant


def _reference(reference: str, references: References, direction: Direction) -> Type:
    if reference.startswith(_OTHER_PACKAGE):
        return Type("any", stand_in=reference)
    # A name without `Args` on the input side is an enumeration, as is one without a module on the other.
    if not reference.endswith("Args") if direction == "inputs" else "." not in reference:
        return references.enumeration(reference)
    return Type("object", references.refer(reference, direction))


@functools.lru_cache(maxsize=4096)
def _parse(annotation: str) -> ast.expr:
    return ast.parse(annotation, mode="eval").body


def _dotted(tree: ast.expr) -> str:
    if isinstance(tree, ast.Name):
        return tree.id
    return f"{_dotted(tree.value)}.{tree.attr}" if isinstance(tree, ast.Attribute) else ast.unparse(tree)
