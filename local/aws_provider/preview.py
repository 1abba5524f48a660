"""What a preview says that a resource will be: its inputs, and what AWS adds, unknown until it exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.aws_provider.differ import changed_properties
from local.aws_provider.inputs import DEFAULTS
from local.aws_provider.shape_store import shape_of
from local.aws_provider.types import describe
from local.aws_provider.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.aws_provider.shapes import ResourceShape, Type
    from local.aws_provider.values import Properties, Value


def created(token: str, inputs: Mapping[str, Value]) -> Properties:
    """Say what a resource will be once it is created.

    Args:
        token: Its type.
        inputs: Its checked inputs.
    """
    shape = shape_of(token)
    outputs = echoed(shape, inputs)
    for name, prop in shape.outputs.items():
        if prop.required and name not in outputs:
            outputs[name] = UNKNOWN
    return outputs


def updated(token: str, state: Mapping[str, Value], inputs: Mapping[str, Value]) -> Properties:
    """Say what a resource will be once it is updated: what AWS computed stays, unless the change renews it.

    Args:
        token: Its type.
        state: Its outputs as they are.
        inputs: Its new, checked inputs.
    """
    shape, description = shape_of(token), describe(token)
    outputs = echoed(shape, inputs)
    for name, prop in shape.outputs.items():
        if name not in outputs and prop.required:
            outputs[name] = state.get(name, UNKNOWN)
    changed = changed_properties(token, state, inputs)
    for trigger, names in description.renewed.items():
        if trigger in changed or (trigger == "*" and changed):
            outputs.update(dict.fromkeys(names, UNKNOWN))
    return outputs


def echoed(shape: ResourceShape, inputs: Mapping[str, Value]) -> Properties:
    """Give the inputs as outputs, with what AWS computes inside their objects unknown."""
    return {
        name: _fill(shape, value, shape.outputs[name].type if name in shape.outputs else None)
        for name, value in inputs.items()
        if name != DEFAULTS
    }


def _fill(shape: ResourceShape, value: Value, kind: Type | None) -> Value:
    if kind is None:
        return value
    if isinstance(value, list) and kind.kind == "list":
        return [_fill(shape, item, kind.args[0]) for item in value]
    if not isinstance(value, dict) or kind.kind != "object":
        return value
    properties = shape.objects.get(kind.name, {})
    filled: Properties = {
        name: _fill(shape, item, properties[name].type if name in properties else None)
        for name, item in value.items()
        if name != DEFAULTS
    }
    for name, prop in properties.items():
        if prop.required and name not in filled:
            filled[name] = UNKNOWN
    return filled
