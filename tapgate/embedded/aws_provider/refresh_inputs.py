"""The inputs that a resource would have had to be given to be as it was found: for refreshes and imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider.differ import equivalent
from tapgate.embedded.aws_provider.inputs import DEFAULTS
from tapgate.embedded.aws_provider.schema_store import schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.embedded.aws_provider.values import Properties, Value


def refresh_inputs(token: str, inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> Properties:
    """Bring inputs in line with a resource as it was found.

    Args:
        token: Its type.
        inputs: Its inputs at the last deployment; empty for an import.
        outputs: The resource as it was found.

    Returns:
        The inputs: those that still hold as they were, the others as found. For an import, what was
            found of every
        input that AWS does not compute.
    """
    schema = schema_of(token)
    if not inputs:
        found: Properties = {
            name: outputs[name]
            for name in schema.inputs
            if outputs.get(name) not in (None, [], {}, "")
            and (name == "region" or not _computed(token, name))
        }
        if "tagsAll" in outputs:
            found["tagsAll"] = outputs["tagsAll"]
        return {**found, DEFAULTS: []}
    kept: Properties = {}
    for name, value in inputs.items():
        if name == DEFAULTS or equivalent(token, name, outputs.get(name), value):
            kept[name] = value
        elif outputs.get(name) is not None:
            kept[name] = outputs[name]
    return kept


def _computed(token: str, name: str) -> bool:
    schema = schema_of(token)
    return name in schema.outputs and schema.outputs[name].required and not schema.inputs[name].required
