"""What a resource will be once it is created.

In a preview what AWS adds is unknown. In a rehearsal every output has a value, and what no one can
know is marked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider.differ import changed_properties
from tapgate.embedded.aws_provider.inputs import DEFAULTS
from tapgate.embedded.aws_provider.rehearsal.forms import Derived
from tapgate.embedded.aws_provider.rehearsal.marks import REHEARSED, marked, marked_text
from tapgate.embedded.aws_provider.resource_schema import Property, Type
from tapgate.embedded.aws_provider.schema_store import schema_of
from tapgate.embedded.aws_provider.types import describe
from tapgate.embedded.aws_provider.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.embedded.aws_provider.description import Description
    from tapgate.embedded.aws_provider.resource_schema import ResourceSchema
    from tapgate.embedded.aws_provider.settings import Settings
    from tapgate.embedded.aws_provider.values import Properties, Value


def previewed(token: str, inputs: Mapping[str, Value]) -> Properties:
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


def previewed_update(token: str, state: Mapping[str, Value], inputs: Mapping[str, Value]) -> Properties:
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


_ANYTHING = Property(Type("string"))


def rehearsed(token: str, urn: str, inputs: Mapping[str, Value], config: Settings) -> tuple[str, Properties]:
    """Return the id and the outputs that a resource would have.

    Args:
        token: Its type.
        urn: Its URN.
        inputs: Its checked inputs.
        config: The provider's configuration.
    """
    derived = Derived(token, urn, str(inputs.get("region") or config.region), inputs)
    outputs = completed(token, previewed(token, inputs), derived)
    identifier = derived.output("id") or marked_text(f"{urn}#id")
    return identifier, outputs


def rehearsed_read(
    token: str,
    urn: str,
    identifier: str,
    config: Settings,
    answered: Mapping[str, Value],
    inputs: Mapping[str, Value] | None = None,
) -> Properties:
    """Return the outputs of a resource that is there already (`get`, `import`), by its id.

    Args:
        token: Its type.
        urn: Its URN.
        identifier: Its id.
        config: The provider's configuration.
        answered: What is known of it.
        inputs: The checked inputs that it will have, where the program imports it.
    """
    said = inputs or {}
    known: Properties = {"region": config.region} if "region" in schema_of(token).outputs else {}
    naming = Derived(token, urn, config.region, {}).property_of_id()
    if naming:
        known[naming] = identifier
    known.update(answered)
    known = {name: value for name, value in known.items() if name not in said}
    given = {**known, **said, "id": identifier}
    derived = Derived(token, urn, str(given.get("region") or config.region), given)
    # Of what is there, no one knows either whether what is optional was left out.
    unsaid = {} if inputs else dict.fromkeys(schema_of(token).outputs, UNKNOWN)
    return completed(token, {**unsaid, **previewed(token, said), **known}, derived)


def completed(token: str, outputs: Mapping[str, Value], derived: Derived) -> Properties:
    """Fill in every unknown output: by AWS's form, else with a marked value, and list those.

    Args:
        token: The resource's type.
        outputs: Its outputs, as a preview tells them.
        derived: What follows from its inputs.
    """
    schema = schema_of(token)
    complete: Properties = {}
    marks: list[Value] = []
    for name, value in outputs.items():
        kind = schema.outputs.get(name, _ANYTHING).type
        known = derived.output(name) if value is UNKNOWN else None
        if known is not None:
            complete[name] = known
        else:
            complete[name] = _Filling(schema, derived.urn, marks).filled(value, kind, name)
    if marks:
        complete[REHEARSED] = marks
    return complete


@dataclass(frozen=True, slots=True)
class _Filling:
    """Puts marked values where a resource's outputs are unknown, and notes where it did."""

    schema: ResourceSchema
    urn: str
    marks: list[Value]

    def filled(self, value: Value, kind: Type, path: str) -> Value:
        if value is UNKNOWN:
            self.marks.append(path)
            return marked(kind, self.schema, f"{self.urn}#{path}")
        if isinstance(value, dict) and kind.kind in {"object", "map"}:
            properties = self.schema.properties_of(kind)
            element = kind.args[0] if kind.kind == "map" else None
            return {
                name: self.filled(item, element or properties.get(name, _ANYTHING).type, f"{path}.{name}")
                for name, item in value.items()
            }
        if isinstance(value, list) and kind.kind == "list":
            return [self.filled(item, kind.args[0], f"{path}[{index}]") for index, item in enumerate(value)]
        return value
