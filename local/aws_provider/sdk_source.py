"""Reads the shape of a resource type out of pulumi_aws's own source, without importing it.

pulumi_aws is generated code of one strict form, and importing it costs more than the whole rest of a preview.
So the class of the type's arguments, the class of the type and the classes of nested objects are cut out of
their files and read as text: names from `pulumi.getter`, types from the getters' annotations, `required` from
the arguments without a default.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from local.aws_provider.shapes import Kind, Property, ResourceShape, Type

if TYPE_CHECKING:
    from collections.abc import Iterator

_GETTER = re.compile(
    r"    @pulumi\.getter(?:\(name=\"(?P<name>\w+)\"\))?\n"
    r"(?:    @.*\n)*"
    r"    def (?P<py>\w+)\(self\) -> (?P<type>.*):\n"
    r"(?:        \"\"\"\n(?P<doc>(?:(?!        \"\"\").*\n)*)        \"\"\")?"
)
_ARGUMENT = re.compile(
    r"^                 (?P<py>\w+): (?P<type>.*?)(?P<default> = None)?(?:,|\):)$", re.MULTILINE
)
_SECRETS = re.compile(r"additional_secret_outputs=\[(?P<names>[^\]]*)\]")
_REPLACES = re.compile(r"forces? (?:a )?(?:new|replacement|re-?creation)", re.IGNORECASE)
_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)
_CLASS_END = re.compile(r"^(?:@pulumi\.|class )", re.MULTILINE)
_PRIMITIVES: dict[str, Kind] = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}

Side = Literal["inputs", "outputs"]


class UnknownTypeError(LookupError):
    """pulumi_aws has no such resource type or function."""


class SdkMissingError(RuntimeError):
    """pulumi_aws is not installed for the Python that runs the provider."""


@functools.cache
def package_folder() -> Path:
    """Find pulumi_aws.

    Raises:
        SdkMissingError: It is not installed.
    """
    spec = importlib.util.find_spec("pulumi_aws")
    if spec is None or spec.origin is None:
        msg = (
            "The stand-in AWS provider finds no pulumi_aws. It knows the AWS types from that package. "
            "Fix: install it for the Python that runs the provider: pip install -r requirements/local.txt"
        )
        raise SdkMissingError(msg)
    return Path(spec.origin).parent


@functools.cache
def package_version() -> str:
    """Tell the version of pulumi_aws, e.g. `7.51.1`."""
    document = cast(
        "dict[str, str]", json.loads((package_folder() / "pulumi-plugin.json").read_text("utf-8"))
    )
    return document["version"]


def read_resource(token: str) -> ResourceShape:
    """Read one resource type.

    Args:
        token: Type token, e.g. `aws:kms/key:Key`.

    Raises:
        UnknownTypeError: pulumi_aws has no such type.
        SdkMissingError: pulumi_aws is not installed.
    """
    folder, member = locate(token)
    path = folder / f"{_snake(member)}.py"
    marker = f'@pulumi.type_token("{token}")\nclass {member}('
    if not path.is_file() or marker not in (text := _source(path)):
        raise UnknownTypeError(token)
    resource = text[text.index(marker) :]
    objects = _Objects(folder)
    # pulumi_aws calls it InitArgs where an input type has taken the other name.
    arguments = _class_body(path, f"{member}Args") or _class_body(path, f"{member}InitArgs")
    if arguments is None:
        raise UnknownTypeError(token)
    secrets = _SECRETS.search(resource)
    return ResourceShape(
        token=token,
        inputs=_inputs(arguments, objects),
        outputs={name: prop for name, _, prop in _getters(resource, objects, "outputs")},
        objects=objects.collect(),
        secret_outputs=tuple(re.findall(r"\"(\w+)\"", secrets["names"])) if secrets else (),
    )


@functools.cache
def read_provider() -> ResourceShape:
    """Read what can be configured of the provider itself.

    Raises:
        SdkMissingError: pulumi_aws is not installed.
    """
    objects = _Objects(package_folder())
    inputs = _inputs(_class_body(package_folder() / "provider.py", "ProviderArgs") or "", objects)
    return ResourceShape("the AWS provider's configuration (aws:…)", inputs, {}, objects.collect())


def is_function(token: str) -> bool:
    """Tell whether pulumi_aws has this function, e.g. `aws:index/getRegion:getRegion`."""
    try:
        folder, member = locate(token)
    except UnknownTypeError:
        return False
    path = folder / f"{_snake(member)}.py"
    return path.is_file() and f"'{token}'" in _source(path)


def locate(token: str) -> tuple[Path, str]:
    """Find the folder of pulumi_aws that holds a token, and the member's name.

    Raises:
        UnknownTypeError: The token is not of the form `aws:<module>/<file>:<Member>`, or has no module.
    """
    match = re.fullmatch(r"aws:(?P<module>\w+)/\w+:(?P<member>\w+)", token)
    if match is None:
        raise UnknownTypeError(token)
    module, root = match["module"], package_folder()
    if module == "index":
        return root, match["member"]
    for candidate in (root / module, root / f"{module}_"):
        if candidate.is_dir():
            return candidate, match["member"]
    raise UnknownTypeError(token)


def resource_tokens() -> Iterator[str]:
    """Yield the token of every resource type of pulumi_aws, module by module."""
    for path in sorted(package_folder().rglob("*.py")):
        if path.name.startswith("_"):
            continue
        for match in re.finditer(
            r"^@pulumi\.type_token\(\"(aws:[^\"]+)\"\)\nclass \w+\(pulumi\.", _source(path), re.MULTILINE
        ):
            yield match[1]


class _Objects:
    """Collects the nested objects of one resource, each read once, whoever refers to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wanted: list[tuple[str, Path, str, Side]] = []
        self._names: set[str] = set()

    def refer(self, reference: str, side: Side) -> str:
        """Note that an object is wanted; gives the name that it has in the shape."""
        module, _, name = reference.rpartition(".")
        folder = self._folder
        if module and module != "outputs":
            folder = package_folder() / module.lstrip("_")
        key = f"{side[0]}:{module}.{name}" if module not in {"", "outputs"} else f"{side[0]}:{name}"
        if key not in self._names:
            self._names.add(key)
            self._wanted.append((key, folder, name, side))
        return key

    def collect(self) -> dict[str, dict[str, Property]]:
        found: dict[str, dict[str, Property]] = {}
        while self._wanted:
            key, folder, name, side = self._wanted.pop()
            body = _class_body(folder / ("_inputs.py" if side == "inputs" else "outputs.py"), name)
            here = _Here(self, folder) if folder != self._folder else self
            if body is None:
                found[key] = {}
            elif side == "inputs":
                found[key] = _inputs(body, here)
            else:
                found[key] = {camel: prop for camel, _, prop in _getters(body, here, side)}
        return found


class _Here(_Objects):
    """The same collection, seen from another module's folder."""

    def __init__(self, parent: _Objects, folder: Path) -> None:
        super().__init__(folder)
        self._parent = parent

    def refer(self, reference: str, side: Side) -> str:
        if "." in reference and not reference.startswith("outputs."):
            return self._parent.refer(reference, side)
        return self._parent.refer(f"{self._folder.name}.{reference.removeprefix('outputs.')}", side)


def _inputs(body: str, objects: _Objects) -> dict[str, Property]:
    signature = body[: body.index("):\n") + 3]
    required = {match["py"] for match in _ARGUMENT.finditer(signature) if match["default"] is None}
    return {
        name: Property(prop.type, py in required, prop.replaces)
        for name, py, prop in _getters(body, objects, "inputs")
    }


def _getters(body: str, objects: _Objects, side: Side) -> Iterator[tuple[str, str, Property]]:
    for match in _GETTER.finditer(body):
        kind, optional = _annotation(match["type"], objects, side)
        replaces = bool(_REPLACES.search(match["doc"] or ""))
        yield match["name"] or match["py"], match["py"], Property(kind, not optional, replaces)


def _annotation(text: str, objects: _Objects, side: Side) -> tuple[Type, bool]:
    tree = ast.parse(text, mode="eval").body
    while isinstance(tree, ast.Subscript) and _dotted(tree.value) in {"pulumi.Input", "pulumi.Output"}:
        tree = tree.slice
    optional = isinstance(tree, ast.Subscript) and _dotted(tree.value) == "Optional"
    return _type(tree, objects, side), optional


def _type(tree: ast.expr, objects: _Objects, side: Side) -> Type:
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        return _reference(tree.value, objects, side)
    if isinstance(tree, ast.Subscript):
        return _generic(tree, objects, side)
    dotted = _dotted(tree)
    if dotted == "Any":
        return Type("any")
    if dotted in {"pulumi.Asset", "pulumi.Archive"}:
        return Type("asset" if dotted.endswith("Asset") else "archive")
    return Type(_PRIMITIVES[dotted.removeprefix("_builtins.")])


def _generic(tree: ast.Subscript, objects: _Objects, side: Side) -> Type:
    name = _dotted(tree.value)
    inner = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
    if name in {"pulumi.Input", "pulumi.Output", "Optional"}:
        return _type(inner[0], objects, side)
    if name == "Sequence":
        return Type("list", args=(_type(inner[0], objects, side),))
    if name == "Mapping":
        return Type("map", args=(_type(inner[1], objects, side),))
    choices = tuple(dict.fromkeys(_type(choice, objects, side) for choice in inner))
    return choices[0] if len(choices) == 1 else Type("union", args=choices)


def _reference(reference: str, objects: _Objects, side: Side) -> Type:
    # A name without `Args` on the input side is an enum, and AWS's enums are open: any string passes.
    if side == "inputs" and not reference.endswith("Args"):
        return Type("string")
    if side == "outputs" and "." not in reference:
        return Type("string")
    return Type("object", objects.refer(reference, side))


def _dotted(tree: ast.expr) -> str:
    return ast.unparse(tree)


def _class_body(path: Path, name: str) -> str | None:
    start = _classes(path).get(name)
    if start is None:
        return None
    text = _source(path)
    end = _CLASS_END.search(text, start + 1)
    return text[start : end.start() if end else len(text)]


@functools.lru_cache(maxsize=64)
def _classes(path: Path) -> dict[str, int]:
    return {match[1]: match.start() for match in _CLASS.finditer(_source(path))}


def _snake(name: str) -> str:
    partly = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name))
    return partly.lower()


@functools.lru_cache(maxsize=64)
def _source(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""
