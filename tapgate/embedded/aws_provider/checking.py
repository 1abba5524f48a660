"""Checks a resource's inputs against its schema, and converts what pulumi-aws converts.

pulumi-aws itself lets a misspelt property pass with at most a warning, and the resource is then created
without it. A preview that says yes to a control that will not be there is worth nothing, so here it is a
failure.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider.marks import MARK, MARKED_NUMBER, contains_mark
from tapgate.embedded.aws_provider.sdk_source import package_version
from tapgate.embedded.aws_provider.values import UNKNOWN, Blob, Unknown, contains_unknown, dump_json

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.resource_schema import Object, ResourceSchema, Type
    from tapgate.embedded.aws_provider.values import Properties, Value

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_TEXT_ALONE = frozenset({"3", "4", "5", "6"})
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a resource's inputs are refused.

    Attributes:
        property: Path of the property, e.g. `loggingConfig.logFormat` or `metricQueries[0].id`.
        reason: What is wrong, why it matters and how to fix it.
    """

    property: str
    reason: str


@dataclass(slots=True)
class _Check:
    schema: ResourceSchema
    failures: list[Failure] = field(default_factory=list[Failure])

    def fail(self, path: str, reason: str) -> None:
        self.failures.append(Failure(path, reason))

    def object(self, values: Mapping[str, Value], properties: Object, path: str) -> dict[str, Value]:
        if path and not _is_function(self.schema.token):
            values = _in_plural(values, properties)
        checked: dict[str, Value] = {}
        for name, value in values.items():
            if name.startswith("__"):
                continue
            where = _join(path, name)
            known = properties.get(name)
            if known is None and MARK in name:
                checked[name] = value  # It stands for all of what no one knows, so nothing is missing.
            elif known is None:
                self.fail(where, _unknown_property(self.schema, name, properties, path))
            elif value is not None:
                checked[name] = self.value(value, known.type, where)
        for name, prop in properties.items():
            if prop.required and values.get(name) is None and not any(MARK in one for one in checked):
                self.fail(_join(path, name), _missing(self.schema.token, name, prop.type))
        return checked

    def value(self, value: Value, type_: Type, path: str) -> Value:
        if value is UNKNOWN or type_.base == "any":
            return value
        if type_.base == "union":
            return self.union(value, type_, path)
        if type_.base == "list":
            # The bridge under pulumi-aws puts a single value where a list is expected into one.
            items = value if isinstance(value, list) else [value]
            return [self.value(item, type_.args[0], f"{path}[{index}]") for index, item in enumerate(items)]
        if type_.base in {"map", "object"}:
            return self.mapping(value, type_, path)
        if type_.base == "string" and isinstance(value, dict) and self.is_document(path):
            return UNKNOWN if contains_unknown(value) else dump_json(value)
        converted = _convert(value, type_)
        return self.mismatch(value, type_, path) if converted is None else converted

    def is_document(self, path: str) -> bool:
        """Until version 6 the types say text alone of what pulumi-aws takes as an object too."""
        older = package_version().partition(".")[0] in _TEXT_ALONE
        return older and path.casefold().endswith("policy")

    def mapping(self, value: Value, type_: Type, path: str) -> Value:
        if not isinstance(value, dict):
            return self.mismatch(value, type_, path)
        if type_.base == "object":
            return self.object(value, self.schema.objects[type_.name], path)
        return {
            key: self.value(item, type_.args[0], _join(path, key))
            for key, item in value.items()
            if item is not None and not key.startswith("__")
        }

    def union(self, value: Value, type_: Type, path: str) -> Value:
        variants = {variant.base: variant for variant in reversed(type_.args)}
        if isinstance(value, dict) and {"string", "object"} <= variants.keys() and path.isidentifier():
            return self.document(value, variants["object"], path)
        for variant in type_.args:
            trial = _Check(self.schema)
            converted = trial.value(value, variant, path)
            if not trial.failures:
                return converted
        return self.mismatch(value, type_, path)

    def document(self, value: dict[str, Value], type_: Type, path: str) -> Value:
        """A policy document given as an object: pulumi-aws turns it into the JSON text that AWS wants."""
        before = len(self.failures)
        checked = self.mapping(value, type_, path)
        if len(self.failures) > before:
            return UNKNOWN
        return UNKNOWN if contains_unknown(checked) else dump_json(checked)

    def mismatch(self, value: Value, type_: Type, path: str) -> Value:
        if contains_mark(value):
            # It stands for what no one knows, the type included.
            return MARKED_NUMBER if type_.base in {"integer", "number"} else value
        self.fail(
            path,
            f"{self.schema.token}: `{path}` has the wrong type. Found: {_show(value)}. "
            f"Required: {type_.describe()}. AWS would refuse it, or take it for something else. "
            "Fix: give a value of the required type",
        )
        return UNKNOWN


def _in_plural(values: Mapping[str, Value], properties: Object) -> Mapping[str, Value]:
    """Return an object with its lists by Pulumi's names, as the bridge also takes Terraform's singular ones.

    Only lists that are required: where Terraform's name is no other, nothing can be created without them.
    """
    lists = {name for name, one in properties.items() if one.required and one.type.base == "list"}
    missing, named = lists - values.keys(), dict(values)
    for name in sorted(values.keys() - properties.keys()):
        for plural in missing & {f"{name}s", f"{name}es", f"{name[:-1]}ies"}:
            named[plural] = named.pop(name)
    return named


def check(schema: ResourceSchema, inputs: Mapping[str, Value]) -> tuple[Properties, list[Failure]]:
    """Check inputs and convert what pulumi-aws converts: `"30"` to 30, true to `"true"`, documents to JSON.

    Returns:
        The inputs as converted, and why they are refused; an empty list when they are not.
    """
    checker = _Check(schema)
    return checker.object(inputs, schema.inputs, ""), checker.failures


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that a misspelt one was most likely meant to be; None when nothing is near."""
    by_folded = {candidate.replace("_", "").casefold(): candidate for candidate in known}
    folded = name.replace("_", "").casefold()
    close = difflib.get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def _convert(value: Value, type_: Type) -> str | float | Blob | None:
    if isinstance(value, Blob):
        return value if value.base == type_.base else None
    if isinstance(value, Unknown | list | dict) or value is None:
        return None
    if type_.base == "string":
        return _to_string(value)
    if type_.base == "boolean":
        return _to_boolean(value)
    if type_.base in {"asset", "archive"} or isinstance(value, bool):
        return None
    return _to_integer(value) if type_.base == "integer" else _to_number(value)


def _to_string(value: bool | float | str) -> str:  # noqa: FBT001 - a value of any primitive type
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(Decimal(str(value)), "f") if isinstance(value, float) else str(value)


def _to_boolean(value: bool | float | str) -> bool | None:  # noqa: FBT001 - a value of any primitive type
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _TRUE | _FALSE:
        return value in _TRUE
    return None


def _to_integer(value: float | str) -> int | None:
    if isinstance(value, str):
        return int(value) if _INTEGER.fullmatch(value) else None
    return int(value) if float(value).is_integer() else None


def _to_number(value: float | str) -> float | None:
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else None
    return value


def _unknown_property(schema: ResourceSchema, name: str, properties: Object, path: str) -> str:
    what = f"{schema.token} has no property `{_join(path, name)}`"
    if not path and name in schema.outputs:
        return f"{what} that a program can set: AWS computes it. Fix: take `{name}` out of the program"
    meant = nearest(name, properties)
    fix = f"did you mean `{meant}`?" if meant else f"it has: {', '.join(sorted(properties)) or 'none at all'}"
    done = "answer" if _is_function(schema.token) else "create the resource"
    return f"{what}. Pulumi AWS would {done} without it. Fix: {fix}"


def _missing(token: str, name: str, type_: Type) -> str:
    done = "answer" if _is_function(token) else "create the resource"
    return (
        f"{token}: the required property `{name}` is missing. AWS cannot {done} without it. "
        f"Fix: give {type_.describe()}"
    )


def _is_function(token: str) -> bool:
    return token.rpartition(":")[2][:1].islower()


def _show(value: Value) -> str:
    if isinstance(value, Blob):
        return f"an {value.base}"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return repr(value) if isinstance(value, str) else str(value).lower()


def _join(path: str, name: str) -> str:
    dotted_name = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is not None
    step = (f".{name}" if path else name) if dotted_name else f'["{name}"]'
    return path + step
