"""Where in the program a resource is declared, and where in a Python call its property is written.

The engine's preview document carries a source position for each resource (the program's file and line, by the
language SDKs). YAML programs have none of their own, so their file is searched for the resource's name. A
resource made inside a component that cannot be traced itself is shown at the component's line.
"""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, cast
from urllib.parse import unquote

import yaml

from tapgate.findings import Location
from tapgate.json_access import mapping, sequence, text

if TYPE_CHECKING:
    from tapgate.project import Project

T = TypeVar("T")
Child = tuple[str | int, int, T]
"""Something that is written out in something else: its name or position, its line, and what it is."""


def property_line(file: Path, line: int, steps: Sequence[str | int]) -> int | None:
    """Return the line of the deepest part of a property path that is written out in a call.

    Args:
        file: the program's file.
        line: a line of the call that declares the resource.
        steps: the property's path, in the provider's casing (`enableKeyRotation`).

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
    return next(
        (number for call in calls if (number := _deepest(call, steps, _python_parts)) is not None), None
    )


def _spans(call: ast.Call, line: int) -> bool:
    return call.lineno <= line <= (call.end_lineno or call.lineno)


def _deepest(outer: T, steps: Sequence[str | int], parts: Callable[[T], Iterator[Child[T]]]) -> int | None:
    """Follow a property path from a node as far as it is written out; return the line where that ends."""
    line: int | None = None
    for step in steps:
        child = next(((at, inner) for name, at, inner in parts(outer) if name == step), None)
        if child is None:
            break
        line, outer = child
    return line


def _python_parts(expression: ast.expr) -> Iterator[Child[ast.expr]]:
    """Yield what a call, a dictionary or a list holds, names in the provider's casing, each with its line."""
    match expression:
        case ast.Call():
            for keyword in expression.keywords:
                if keyword.arg is not None:
                    yield _camel(keyword.arg), keyword.value.lineno, keyword.value
        case ast.Dict():
            for key, value in zip(expression.keys, expression.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value.lineno, value
                    yield _camel(key.value), value.lineno, value
        case ast.List() | ast.Tuple():
            yield from ((index, item.lineno, item) for index, item in enumerate(expression.elts))
        case _:
            return


def _yaml_parts(parent: yaml.Node | None) -> Iterator[Child[yaml.Node | None]]:
    """Yield what a mapping or a sequence holds, each with its line."""
    for key, value in _pairs(parent):
        yield str(key.value), key.start_mark.line + 1, value
    if isinstance(parent, yaml.SequenceNode):
        for index, item in enumerate(cast("list[yaml.Node]", parent.value)):
            yield index, item.start_mark.line + 1, item


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


_POSITION: Final = re.compile(r"project:///(?P<path>[^#]+)#(?P<line>[0-9]+)(?:,[0-9]+)?")
_NOT_THE_PROGRAM: Final = frozenset({"site-packages", "node_modules", ".venv", "venv", "go", "pkg"})
_PATH_STEP: Final = re.compile(r"""\[(?P<index>[0-9]+)\]|\["(?P<quoted>[^"]*)"\]|(?P<name>[^.\[\]]+)""")


@dataclass(frozen=True, slots=True)
class _Declared:
    positions: tuple[str, ...]
    parent: str


def urn_name(urn: str) -> str:
    """Return the resource's name out of its URN (`urn:pulumi:stack::project::types::name`)."""
    return urn.split("::", 3)[-1]


def urn_type(urn: str) -> str:
    """Return the resource's own type token out of its URN, its parents' types left out."""
    parts = urn.split("::", 3)
    return parts[2].rsplit("$", 1)[-1] if len(parts) == 4 else ""


def path_steps(path: str) -> list[str | int]:
    """Split a property path such as `rule[0].apply["a.b"]` into keys and indexes."""
    steps: list[str | int] = []
    for match in _PATH_STEP.finditer(path):
        index, quoted, name = match.groups()
        steps.append(int(index) if index is not None else name if quoted is None else quoted)
    return steps


class Sources:
    """Finds declarations of resources in one project."""

    def __init__(self, project: Project, document: str) -> None:
        self._project = project
        self._text = document

    def locate(self, urn: str, property_path: str) -> Location | None:
        """Return where the resource, and if possible its property, is declared."""
        through = ""
        for ancestor in self._lineage(urn):
            steps = path_steps(property_path) if ancestor == urn else []
            position = self._position(ancestor) or self._in_yaml(ancestor, steps)
            if position is not None:
                file, line = position
                line = property_line(self._project.folder / file, line, steps) or line
                return Location(file=file, line=line, through=through)
            through = urn_name(self._steps[ancestor].parent) if ancestor in self._steps else ""
        return None

    @cached_property
    def _steps(self) -> Mapping[str, _Declared]:
        try:
            steps = sequence(mapping(json.loads(self._text)).get("steps"))
        except ValueError:
            return {}
        declared: dict[str, _Declared] = {}
        for step in map(mapping, steps):
            state = mapping(step.get("newState"))
            trace = (
                text(mapping(frame).get("sourcePosition")) for frame in sequence(state.get("stackTrace"))
            )
            positions = (text(state.get("sourcePosition")), *trace)
            declared[text(step.get("urn"))] = _Declared(positions, text(state.get("parent")))
        return declared

    def _lineage(self, urn: str) -> Iterator[str]:
        seen: set[str] = set()
        while urn and urn not in seen:
            seen.add(urn)
            yield urn
            urn = self._steps[urn].parent if urn in self._steps else ""

    def _position(self, urn: str) -> tuple[str, int] | None:
        """Return the first position that lies in the program itself (not in an SDK or a language host)."""
        for position in self._steps[urn].positions if urn in self._steps else ():
            match = _POSITION.fullmatch(position)
            if match is None:
                continue
            path = Path(unquote(match["path"]))
            if ".." in path.parts or _NOT_THE_PROGRAM.intersection(path.parts):
                continue
            if (self._project.folder / path).is_file():
                return path.as_posix(), int(match["line"])
        return None

    def _in_yaml(self, urn: str, steps: list[str | int]) -> tuple[str, int] | None:
        declared = self._yaml_resources.get(urn_name(urn))
        if declared is None:
            return None
        key, body = declared
        line = _deepest(_child(body, "properties"), steps, _yaml_parts) or key.start_mark.line + 1
        return os.path.relpath(self._program, self._project.folder), line

    @cached_property
    def _program(self) -> Path:
        return self._project.yaml_program()

    @cached_property
    def _yaml_resources(self) -> Mapping[str, tuple[yaml.Node, yaml.Node]]:
        if self._project.runtime != "yaml":
            return {}
        try:
            top = yaml.compose(self._program.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except (OSError, ValueError, yaml.YAMLError):
            return {}
        resources: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, body in _pairs(_child(top, "resources")):
            name = _child(body, "name")
            resources[str(name.value) if isinstance(name, yaml.ScalarNode) else str(key.value)] = (key, body)
        return resources


def _pairs(parent: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    if not isinstance(parent, yaml.MappingNode):
        return []
    return [(key, value) for key, value in parent.value if isinstance(key, yaml.ScalarNode)]


def _child(parent: yaml.Node | None, name: str) -> yaml.Node | None:
    return next((value for key, value in _pairs(parent) if key.value == name), None)
