"""A change of each input of each type that is deployed: an update or a replacement, as in pulumi-aws."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import yaml

from tapgate.embedded.aws_provider.differ import compare
from tapgate.embedded.aws_provider.schema_store import schema_of
from tapgate.embedded.aws_provider.types import MODULES, describe, described
from tapgate.embedded.aws_provider.values import Blob, Properties, Value

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.resource_schema import ResourceSchema, Type

SCALARS: dict[str, tuple[Value, Value]] = {
    "string": ("one", "two"),
    "integer": (3, 4),
    "number": (0.5, 1.5),
    "boolean": (False, True),
    "any": ("one", "two"),
    "asset": (Blob("asset", "one"), Blob("asset", "two")),
    "archive": (Blob("archive", "one"), Blob("archive", "two")),
}


def _table() -> dict[str, frozenset[str]]:
    rows = cast(
        "list[dict[str, list[str]]]",
        yaml.load(Path(__file__).with_name("replacements.yaml").read_text("utf-8"), yaml.CSafeLoader),
    )
    return {token: frozenset(row["replaces"]) for row in rows for token in row["tokens"]}


TABLE = _table()
CHANGES = [(token, name) for token in TABLE for name in sorted(schema_of(token).inputs)]


def _values(schema: ResourceSchema, type_: Type, side: int) -> Value:
    """Make a value of a type: one of two that differ wherever they can."""
    if type_.base in SCALARS:
        return SCALARS[type_.base][side]
    if type_.base == "union":
        return _values(schema, type_.args[0], side)
    if type_.base == "list":
        return [_values(schema, type_.args[0], side)]
    if type_.base == "map":
        return {"key": _values(schema, type_.args[0], side)}
    return {name: _values(schema, prop.type, side) for name, prop in schema.properties_of(type_).items()}


def _replaced(token: str, name: str, old: Value, new: Value) -> bool:
    state: Properties = {name: old}
    differences = compare(token, state, {name: new})
    assert differences, f"{token} {name}: {old} -> {new} is no change at all"
    assert {difference.property for difference in differences} == {name}
    return any(difference.replaces for difference in differences)


def test_the_table_has_every_type_that_is_deployed() -> None:
    tokens = [token for module in MODULES for token in described(module)]
    assert set(TABLE) == {token for token in tokens if describe(token).operations is not None}


@pytest.mark.parametrize(
    ("token", "name"), CHANGES, ids=[f"{row[0].rpartition(':')[2]}.{row[1]}" for row in CHANGES]
)
def test_a_change_is_an_update_or_a_replacement(token: str, name: str) -> None:
    schema = schema_of(token)
    type_ = schema.inputs[name].type
    old, new = (_values(schema, type_, side) for side in (0, 1))
    inner = {path.partition(".")[2] for path in TABLE[token] if path.startswith(f"{name}.")}
    assert _replaced(token, name, old, new) == (name in TABLE[token] or bool(inner))
    if not inner:
        return
    assert isinstance(old, dict)
    assert isinstance(new, dict)
    for part in old:
        assert _replaced(token, name, old, {**old, part: new[part]}) == (part in inner), part


@pytest.mark.parametrize("token", sorted(TABLE))
def test_the_table_names_inputs_that_exist(token: str) -> None:
    assert {path.partition(".")[0] for path in TABLE[token]} <= set(schema_of(token).inputs)
