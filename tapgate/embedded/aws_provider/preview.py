"""What a preview says that a resource will be: its inputs, and what AWS adds, unknown until it exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider.differ import changed_properties
from tapgate.embedded.aws_provider.inputs import DEFAULTS
from tapgate.embedded.aws_provider.schema_store import schema_of
from tapgate.embedded.aws_provider.types import describe
from tapgate.embedded.aws_provider.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.embedded.aws_provider.types.description import Description
    from tapgate.embedded.aws_provider.values import Properties, Value


def created(token: str, inputs: Mapping[str, Value]) -> Properties:
    """Return what a resource will be once it is created.

    Args:
        token: Its type.
        inputs: Its checked inputs.
    """
    schema = schema_of(token)
    outputs = echoed(describe(token), inputs)
    for name, prop in schema.outputs.items():
        if prop.required and name not in outputs:
            outputs[name] = UNKNOWN
    return outputs


def updated(token: str, state: Mapping[str, Value], inputs: Mapping[str, Value]) -> Properties:
    """Return what a resource will be once updated: what AWS computed stays, unless the change renews it.

    Args:
        token: Its type.
        state: Its outputs as they are.
        inputs: Its new, checked inputs.
    """
    schema, description = schema_of(token), describe(token)
    outputs = echoed(description, inputs)
    for name, prop in schema.outputs.items():
        if name not in outputs and prop.required:
            outputs[name] = state.get(name, UNKNOWN)
    changed = changed_properties(token, state, inputs)
    for trigger, names in description.changes_with.items():
        if trigger in changed or (trigger == "*" and changed):
            outputs.update(dict.fromkeys(names, UNKNOWN))
    return outputs


def echoed(description: Description, inputs: Mapping[str, Value]) -> Properties:
    """Return the inputs as outputs, with what AWS fills in inside their objects unknown."""
    return {name: _fill(description, value, name) for name, value in inputs.items() if name != DEFAULTS}


def _fill(description: Description, value: Value, path: str) -> Value:
    if isinstance(value, list):
        return [_fill(description, item, path) for item in value]
    if not isinstance(value, dict):
        return value
    filled: Properties = {
        name: _fill(description, item, f"{path}.{name}") for name, item in value.items() if name != DEFAULTS
    }
    for missing in description.computed:
        parent, _, name = missing.rpartition(".")
        if parent == path and name not in filled:
            filled[name] = UNKNOWN
    return filled
