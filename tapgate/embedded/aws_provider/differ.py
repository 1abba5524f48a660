"""What a new set of inputs changes about a resource, and which inputs it would need to be as it was found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from tapgate.embedded.aws_provider.inputs import DEFAULTS, rule_for
from tapgate.embedded.aws_provider.schema_store import schema_of
from tapgate.embedded.aws_provider.types import describe
from tapgate.embedded.aws_provider.values import UNKNOWN, Blob, Properties, Value

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.description import Description
    from tapgate.embedded.aws_provider.resource_schema import ResourceSchema, Type

Change: TypeAlias = Literal["add", "delete", "update"]
_Changes: TypeAlias = Iterator[tuple[str, Change]]

_INDEX = re.compile(r"\[\d+\]")


def _described(path: str) -> str:
    """Return a path as a type's description has it: without the places in lists."""
    return _INDEX.sub("", path)


@dataclass(frozen=True, slots=True)
class Difference:
    """One changed property.

    Attributes:
        path: Where, e.g. `tags.Team` or `metricQueries[0].id`.
        change: What becomes of it.
        replaces: The change takes a new resource.
    """

    path: str
    change: Change
    replaces: bool

    @property
    def property(self) -> str:
        """The top-level property that it lies in."""
        return self.path.partition(".")[0].partition("[")[0]


@dataclass(frozen=True, slots=True)
class _Comparison:
    schema: ResourceSchema
    description: Description

    def values(self, old: Value, new: Value, path: str, type_: Type | None) -> _Changes:
        if new is UNKNOWN:
            yield path, "update"
        elif isinstance(old, dict) and isinstance(new, dict):
            yield from self.objects(old, new, path, type_)
        elif isinstance(old, list) and isinstance(new, list):
            element = type_.args[0] if type_ is not None and type_.base == "list" else None
            compare = self.sets if _described(path) in self.description.sets else self.lists
            yield from compare(old, new, path, element)
        elif not self.same(old, new, path):
            yield path, "update"

    def same(self, old: Value, new: Value, path: str) -> bool:
        if isinstance(old, Blob) and isinstance(new, Blob):
            return old.hash == new.hash if old.hash and new.hash else old == new
        if isinstance(old, str) and isinstance(new, str) and _described(path) in self.description.documents:
            return equivalent_documents(old, new)
        return old == new and isinstance(old, bool) == isinstance(new, bool)

    def objects(self, old: Properties, new: Properties, path: str, type_: Type | None) -> _Changes:
        properties = self.schema.properties_of(type_)
        for name in sorted((old.keys() | new.keys()) - {DEFAULTS}):
            prop, at = properties.get(name), f"{path}.{name}"
            if name in new or _described(at) not in self.description.computed:
                yield from self.maybe(old.get(name), new.get(name), at, prop.type if prop else None)

    def maybe(self, old: Value, new: Value, path: str, type_: Type | None) -> _Changes:
        assumed = self.description.absent.get(_described(path))
        if _nothing(old, assumed) and _nothing(new, assumed):
            return
        if old is None:
            yield path, "add"
        elif new is None:
            yield path, "delete"
        else:
            yield from self.values(old, new, path, type_)

    def lists(self, old: list[Value], new: list[Value], path: str, type_: Type | None) -> _Changes:
        for index in range(max(len(old), len(new))):
            at = f"{path}[{index}]"
            if index >= len(old):
                yield at, "add"
            elif index >= len(new):
                yield at, "delete"
            else:
                yield from self.values(old[index], new[index], at, type_)

    def sets(self, old: list[Value], new: list[Value], path: str, type_: Type | None) -> _Changes:
        gone = list(enumerate(old))
        for index, item in enumerate(new):
            at = f"{path}[{index}]"
            match = next((it for it in gone if not any(self.values(it[1], item, at, type_))), None)
            if match is None:
                yield at, "add"
            else:
                gone.remove(match)
        for index, _ in gone:
            yield f"{path}[{index}]", "delete"


def compare(token: str, state: Mapping[str, Value], news: Mapping[str, Value]) -> list[Difference]:
    """Compare a resource as it is with what the program wants.

    A property that the program no longer gives is a change only where AWS does not compute it, as in
    pulumi-aws.
    """
    schema, description = schema_of(token), describe(token)
    comparison = _Comparison(schema, description)
    differences: list[Difference] = []
    for name in sorted((set(schema.inputs) | set(news)) - {DEFAULTS}):
        output = schema.outputs.get(name)
        if name not in news and (output is None or output.required):
            continue
        if name not in state and output is not None and output.required and name == "region":
            continue
        type_ = output.type if output is not None else None
        always = name == "region" or (name in schema.inputs and schema.inputs[name].replaces)
        differences.extend(
            Difference(path, change, always or _replaces(description, path))
            for path, change in comparison.maybe(state.get(name), news.get(name), name, type_)
        )
    return differences


def _replaces(description: Description, path: str) -> bool:
    """Return whether a change at a path is, lies in or takes along one that makes a new resource."""
    changed = f"{_described(path)}."
    return any(
        changed.startswith(f"{marked}.") or f"{marked}.".startswith(changed)
        for marked in description.replaces
    )


def equivalent(token: str, name: str, old: Value, new: Value) -> bool:
    """Return whether a top-level property is, to pulumi-aws, the same as wanted."""
    schema = schema_of(token)
    output = schema.outputs.get(name)
    if new is None and (output is None or output.required):
        return True
    type_ = output.type if output is not None else None
    return not any(_Comparison(schema, describe(token)).maybe(old, new, name, type_))


def replaced_first(token: str, news: Mapping[str, Value]) -> bool:
    """Return whether a replaced resource is deleted before its replacement is created.

    So it is when its name comes from the program, because two resources cannot have the same name at once.
    """
    if describe(token).replaced_first:
        return True
    rule, defaults = rule_for(schema_of(token)), news.get(DEFAULTS)
    if rule is None or not rule.named or rule.property not in news or not isinstance(defaults, list):
        return False
    return rule.property not in defaults


def equivalent_documents(old: str, new: str) -> bool:
    """Return whether two JSON documents say the same, as AWS reads policies.

    The order of keys and of values in lists means nothing; a list of one is the same as its element.
    """
    try:
        return _normal(cast("object", json.loads(old))) == _normal(cast("object", json.loads(new)))
    except ValueError:
        return old == new


def _normal(document: object) -> object:
    if isinstance(document, dict):
        members = cast("dict[str, object]", document)
        return {key: _normal(members[key]) for key in sorted(members)}
    if isinstance(document, list):
        items = sorted((_normal(item) for item in cast("list[object]", document)), key=repr)
        return items[0] if len(items) == 1 else items
    return document


def _nothing(value: Value, assumed: Value) -> bool:
    return (
        value is None
        or (value is not UNKNOWN and not isinstance(value, Blob) and not value)
        or value == assumed
    )


def refresh_inputs(token: str, inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> Properties:
    """Bring inputs in line with a resource as it was found.

    Args:
        token: Its type.
        inputs: Its inputs at the last deployment; empty for an import.
        outputs: The resource as it was found.

    Returns:
        The inputs: those that still hold as they were, the others as found. For an import, what was found of
        every input that AWS does not compute.
    """
    schema = schema_of(token)
    if not inputs:
        refreshed: Properties = {
            name: outputs[name]
            for name in schema.inputs
            if outputs.get(name) not in (None, [], {}, "")
            and (name == "region" or name not in schema.outputs or not _computed(schema, name))
        }
        if "tagsAll" in outputs:
            refreshed["tagsAll"] = outputs["tagsAll"]
        return {**refreshed, DEFAULTS: []}
    kept: Properties = {}
    for name, value in inputs.items():
        if name == DEFAULTS or equivalent(token, name, outputs.get(name), value):
            kept[name] = value
        elif outputs.get(name) is not None:
            kept[name] = outputs[name]
    return kept


def _computed(schema: ResourceSchema, name: str) -> bool:
    return schema.outputs[name].required and not schema.inputs[name].required
