"""Which members of AWS's API the properties of a type are, and what their values are there.

Botocore has AWS's own models of the operations. Most properties have the name of their member but for its
case, its plural, or the object that it is in; a type's description names the others.
"""

from __future__ import annotations

import datetime as dt
import functools
import gzip
import importlib.util
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.resource_schema import ResourceSchema, Type
    from tapgate.embedded.aws_provider.values import Properties, Value

_SERVICES: Final[dict[str, tuple[str, ...]]] = {
    "alb": ("elbv2",),
    "cfg": ("config",),
    "cloudwatch": ("cloudwatch", "logs", "events"),
    "costexplorer": ("ce",),
    "cognito": ("cognito-idp", "cognito-identity"),
    "elasticsearch": ("es",),
    "kinesis": ("kinesis", "firehose"),
    "lb": ("elbv2",),
    "msk": ("kafka",),
    "sfn": ("stepfunctions",),
}
_SUFFIXES: Final = {"name": "Name", "type": "Type", "arn": "Arn"}
"""What AWS says with the thing in front: a role's `RoleName`."""
_PAIRS: Final = (("Key", "Value"), ("Name", "Value"), ("TagKey", "TagValue"))
_EMPTY: Final[tuple[object, ...]] = ("", [], {})

Shape: TypeAlias = "Mapping[str, object]"
Names: TypeAlias = "Mapping[str, str]"
"""The members of properties that are called otherwise, by paths such as `rules.filter`; with dots as well."""


@dataclass(frozen=True)
class Model:
    """One service in botocore.

    Attributes:
        operations: The input's shape by operation, in lower case.
        definitions: What it defines, by name.
    """

    operations: Mapping[str, str]
    definitions: Mapping[str, Shape]

    def input_of(self, operation: str) -> str:
        """Return the shape of an operation's input, by the operation's name in boto3 or in AWS."""
        return self.operations.get(operation.replace("_", "").lower(), "")

    def members_of(self, shape: str) -> dict[str, str]:
        """Return the members of a shape, with theirs; of a list's elements where it is one."""
        members = cast("dict[str, dict[str, str]]", self.element(shape).get("members") or {})
        return {name: member["shape"] for name, member in members.items()}

    def element(self, shape: str) -> Shape:
        """Return a shape; of a list what its elements are."""
        described = self.definitions.get(shape, {})
        while described.get("type") == "list":
            described = self.definitions[self.inner(described, "member")]
        return described

    def inner(self, described: Shape, name: str) -> str:
        """Return what the elements of a list (`member`) or the values of a map (`value`) are."""
        return cast("dict[str, str]", described[name])["shape"]

    def steps(self, shape: str, path: str, names: Names, *, loose: bool = True) -> tuple[str, ...]:
        """Return the members that lead to a property; none where it has none.

        Args:
            shape: Where to begin.
            path: The property, `a.b` for what is called `b` in `a`; `shape` is that of `a`.
            names: The type's exceptions.
            loose: Whether it may be called after the thing that it is of, or be in an object of its own.
        """
        if path in names:
            return tuple(names[path].split("."))
        members, name = self.members_of(shape), path.rpartition(".")[2]
        if not loose:
            return tuple(filter(None, [_spelled(name, members)]))
        structures = (one for one in members if self.definitions[members[one]].get("type") == "structure")
        return _led(name, members, ((one, self.members_of(members[one])) for one in structures))

    def follow(self, shape: str, steps: Iterable[str]) -> str:
        """Return the shape at the end of some members; empty where it has not all of them."""
        for step in steps:
            shape = self.members_of(shape).get(step, "")
        return shape

    def find(self, shape: str, path: str, names: Names, *, loose: bool) -> Shape | None:
        """Return the shape of a text or number, by the path of the property that it is; else None."""
        names_of_parents = path.split(".")
        for count in range(1, len(names_of_parents) + 1):
            steps = self.steps(shape, ".".join(names_of_parents[:count]), names, loose=loose)
            shape = self.follow(shape, steps) if steps else ""
            if not shape:
                return None
        element = self.element(shape)
        return element if element["type"] not in {"structure", "map"} else None

    def to_api(self, value: object, shape: str, names: Names, path: str) -> object:
        """Return a property's value in AWS's form."""
        described = self.definitions.get(shape, {})
        type_ = described.get("type")
        if type_ == "list":
            return self._list_to_api(value, self.inner(described, "member"), names, path)
        if type_ == "map" and isinstance(value, dict):
            inner, items = self.inner(described, "value"), cast("dict[str, object]", value)
            return {key: self.to_api(item, inner, names, path) for key, item in items.items()}
        if type_ == "structure" and isinstance(value, dict):
            made: dict[str, object] = {}
            for name, item in cast("dict[str, object]", value).items():
                if item is None or name.startswith("__"):
                    continue
                where = f"{path}.{name}" if path else name
                steps = self.steps(shape, where, names) or (name[:1].upper() + name[1:],)
                put(made, steps, self.to_api(item, self.follow(shape, steps), names, where))
            return made
        return value

    def _list_to_api(self, value: object, element: str, names: Names, path: str) -> object:
        if isinstance(value, dict):
            pairs = cast("dict[str, object]", value)
            key, item = self._pair(element)
            if key and not set(pairs) <= {key.lower(), item.lower()}:
                return [{key: name, item: one} for name, one in pairs.items()]
        items = cast("list[object]", value if isinstance(value, list) else [value])
        return [self.to_api(one, element, names, path) for one in items]

    def pairs(self, items: Mapping[str, object], shape: str) -> object:
        """Return a map in AWS's form: as it is, or as a list of pairs."""
        described = self.definitions[shape]
        if described.get("type") != "list":
            return dict(items)
        key, item = self._pair(self.inner(described, "member"))
        return [{key: name, item: value} for name, value in items.items()]

    def _pair(self, element: str) -> tuple[str, str]:
        return next((pair for pair in _PAIRS if {*pair} == {*self.members_of(element)}), ("", ""))


def put(made: dict[str, object], steps: tuple[str, ...], value: object) -> None:
    """Put a value where some members lead, into what is there already."""
    for step in steps[:-1]:
        made = cast("dict[str, object]", made.setdefault(step, {}))
    last = steps[-1]
    there = made.get(last)
    if isinstance(there, dict) and isinstance(value, dict):
        cast("dict[str, object]", there).update(cast("dict[str, object]", value))
    else:
        made[last] = value


def _spelled(name: str, members: Iterable[str]) -> str:
    """Return the member that is called like a property: Pulumi makes lists plural, and objects singular."""
    by_name, low = {member.lower(): member for member in members}, name.lower()
    forms = (low, low.removesuffix("s"), f"{low}s", low.removesuffix("es"), low.removesuffix("ies") + "y")
    return next((by_name[form] for form in forms if form in by_name), "")


def _led(name: str, members: Iterable[str], objects: Iterable[tuple[str, Iterable[str]]]) -> tuple[str, ...]:
    """Return what leads to a property: its member, one called after its thing, or one in an object of it."""
    suffix = _SUFFIXES.get(name)
    ending = [member for member in members if suffix and member.endswith(suffix)]
    own = _spelled(name, members) or (ending[0] if len(ending) == 1 else "")
    within = ((one, spelled) for one, inner in objects if (spelled := _spelled(name, inner)))
    return (own,) if own else next(within, ())


def hollow(value: Value) -> bool:
    """Return whether there is nothing in a value, as in `{"onFailure": {}}`."""
    if isinstance(value, dict):
        return all(hollow(item) for item in value.values())
    return value is None or value in _EMPTY


def inside(answer: object, steps: Iterable[str]) -> object:
    """Follow keys into an answer; None where one of them is missing."""
    value = answer
    for step in steps:
        value = cast("dict[str, object]", value).get(step) if isinstance(value, dict) else None
    return value


@dataclass(frozen=True, slots=True)
class Decoding:
    """Reads a type's properties out of what AWS answers."""

    schema: ResourceSchema
    names: Names

    def value(self, answer: object, path: str, type_: Type, beside: Iterable[str] = ()) -> Value:
        """Return a property in an object of an answer; None where it is not there, or nothing.

        What is inside of a property that is `beside` it, in the same object, is that one's.
        """
        return self.converted(self._located(answer, path, beside), type_, path)

    def converted(self, value: object, type_: Type, path: str) -> Value:
        """Return a value in Pulumi's form."""
        if isinstance(value, dt.datetime):
            return value.isoformat().replace("+00:00", "Z")
        if type_.base == "list" and isinstance(value, list):
            items = cast("list[object]", value)
            return [self.converted(item, type_.args[0], path) for item in items] or None
        if type_.base == "map":
            return pairs_of(value) or None
        if type_.base == "object":
            return self._object(value, type_, path)
        return None if value is None or value in _EMPTY else _scalar(value, type_)

    def _object(self, value: object, type_: Type, path: str) -> Value:
        one = next(iter(cast("list[object]", value)), None) if isinstance(value, list) else value
        if not isinstance(one, dict):
            return None
        there, properties = cast("dict[str, object]", one), self.schema.properties_of(type_)
        decoded: Properties = {
            name: self.value(there, f"{path}.{name}", prop.type, beside=properties)
            for name, prop in properties.items()
        }
        return {name: item for name, item in decoded.items() if item is not None}

    def _located(self, answer: object, path: str, beside: Iterable[str]) -> object:
        if path in self.names:
            return inside(answer, self.names[path].split("."))
        if not isinstance(answer, dict):
            return None
        there = cast("dict[str, object]", answer)
        objects = (
            (key, cast("dict[str, object]", inner))
            for key, inner in there.items()
            if isinstance(inner, dict) and not _spelled(key, beside)
        )
        steps = _led(path.rpartition(".")[2], there, objects)
        return inside(there, steps) if steps else None


def _scalar(value: object, type_: Type) -> Value:
    """Return a text, number or boolean, which maps of attributes have as a text."""
    if type_.base == "boolean":
        return str(value).lower() == "true"
    return int(str(value)) if type_.base == "integer" else cast("Value", value)


def pairs_of(value: object) -> Properties:
    """Read a map, which AWS may have as a list of pairs; an empty one where it is none."""
    if isinstance(value, list):
        pairs = cast("list[dict[str, str]]", value)
        key, item = next((pair for pair in _PAIRS if pairs and {*pair} <= {*pairs[0]}), ("", ""))
        return {pair[key]: pair.get(item, "") for pair in pairs} if key else {}
    return cast("Properties", value) if isinstance(value, dict) else {}


@functools.cache
def models(module: str) -> tuple[Model, ...]:
    """Return the models of the services that a module of Pulumi is of."""
    return tuple(map(model, services_of(module)))


def services_of(module: str) -> tuple[str, ...]:
    """Return the services that a module of Pulumi is of, by botocore's names."""
    own = (path.name for path in _data().iterdir() if path.name.replace("-", "") == module)
    return _SERVICES.get(module) or tuple(own)


@functools.cache
def model(service: str) -> Model:
    """Return the model of a service."""
    path = max((_data() / service).glob("*/service-2.json*"))
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    document = cast("dict[str, dict[str, dict[str, object]]]", json.loads(content))
    operations = {
        name.lower(): cast("dict[str, str]", operation.get("input") or {}).get("shape", "")
        for name, operation in document["operations"].items()
    }
    return Model(operations, document["shapes"])


def _data() -> Path:
    spec = importlib.util.find_spec("botocore")
    assert spec is not None and spec.origin is not None  # noqa: PT018, S101 - a dependency
    return Path(spec.origin).parent / "data"
