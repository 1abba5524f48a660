"""What a resource would be once it exists: every output has a value, and what nobody can know is marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider import preview
from tapgate.embedded.aws_provider.rehearsal.forms import Derived
from tapgate.embedded.aws_provider.rehearsal.marks import REHEARSED, marked, marked_text
from tapgate.embedded.aws_provider.resource_schema import Property, Type
from tapgate.embedded.aws_provider.schema_store import schema_of
from tapgate.embedded.aws_provider.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.embedded.aws_provider.resource_schema import ResourceSchema
    from tapgate.embedded.aws_provider.settings import Settings
    from tapgate.embedded.aws_provider.values import Properties, Value

_ANYTHING = Property(Type("string"))


def created(token: str, urn: str, inputs: Mapping[str, Value], config: Settings) -> tuple[str, Properties]:
    """Return the id and the outputs that a resource would have.

    Args:
        token: Its type.
        urn: Its URN.
        inputs: Its checked inputs.
        config: The provider's configuration.
    """
    derived = Derived(token, urn, str(inputs.get("region") or config.region), inputs)
    outputs = completed(token, preview.created(token, inputs), derived)
    identifier = derived.output("id") or marked_text(f"{urn}#id")
    return identifier, outputs


def found(token: str, urn: str, identifier: str, config: Settings) -> Properties:
    """Return the outputs of a resource that the program takes as it is (`get`, `import`), by its id.

    Args:
        token: Its type.
        urn: Its URN.
        identifier: Its id.
        config: The provider's configuration.
    """
    known: Properties = {"region": config.region} if "region" in schema_of(token).outputs else {}
    naming = Derived(token, urn, config.region, {}).property_of_id()
    if naming:
        known[naming] = identifier
    derived = Derived(token, urn, config.region, {**known, "id": identifier})
    outputs: Properties = {**preview.created(token, {}), **known}
    return completed(token, outputs, derived)


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
