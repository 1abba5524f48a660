"""What a resource will be once it is created.

In a preview what AWS adds is unknown. In a rehearsal every output has a value: by the form in which AWS gives
it, else one that is marked. A form is a text with fields in braces: `{name}` is a property of the resource
(`{path=/}` with what stands when it is not set), `{:region}`, `{:account}`, `{:partition}` and `{:suffix}`
are the provider's, `{#hex17}` stands for characters that AWS makes up, `{?}` for what no one knows before.
`forms.json` has them for all types; `nox -s data` makes it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from tapgate.embedded.aws_provider.differ import compare
from tapgate.embedded.aws_provider.inputs import DEFAULTS, made_up
from tapgate.embedded.aws_provider.invokes import partition_of, suffix_of
from tapgate.embedded.aws_provider.marks import REHEARSED, marked, marked_text
from tapgate.embedded.aws_provider.resource_schema import Property, Type
from tapgate.embedded.aws_provider.schema_store import schema_of
from tapgate.embedded.aws_provider.types import describe
from tapgate.embedded.aws_provider.values import UNKNOWN, Properties, Value
from tapgate.embedded.environment import ACCOUNT

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.description import Description
    from tapgate.embedded.aws_provider.settings import Settings


def previewed(token: str, inputs: Mapping[str, Value]) -> Properties:
    """Return what a resource will be once it is created."""
    schema = schema_of(token)
    outputs = echoed(describe(token), inputs)
    for name, prop in schema.outputs.items():
        if prop.required and name not in outputs:
            outputs[name] = UNKNOWN
    return outputs


def previewed_update(token: str, state: Mapping[str, Value], inputs: Mapping[str, Value]) -> Properties:
    """Return what a resource will be once updated: what AWS computed stays, unless the change renews it."""
    schema, description = schema_of(token), describe(token)
    outputs = echoed(description, inputs)
    for name, prop in schema.outputs.items():
        if name not in outputs and prop.required:
            outputs[name] = state.get(name, UNKNOWN)
    changed = {difference.property for difference in compare(token, state, inputs)}
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
    """Return the id and the outputs that a resource would have."""
    by_form = OutputsByForm(token, urn, str(inputs.get("region") or config.region), inputs)
    outputs = completed(token, previewed(token, inputs), by_form)
    identifier = by_form.output("id") or marked_text(f"{urn}#id")
    return identifier, outputs


def rehearsed_read(
    token: str,
    urn: str,
    identifier: str,
    config: Settings,
    answered: Mapping[str, Value],
    inputs: Mapping[str, Value] | None = None,
) -> Properties:
    """Return the outputs of a resource that is there already (`get`, `import`), by its id."""
    said = inputs or {}
    known: Properties = {"region": config.region} if "region" in schema_of(token).outputs else {}
    naming = OutputsByForm(token, urn, config.region, {}).property_of_id()
    if naming:
        known[naming] = identifier
    known.update(answered)
    known = {name: value for name, value in known.items() if name not in said}
    given = {**known, **said, "id": identifier}
    by_form = OutputsByForm(token, urn, str(given.get("region") or config.region), given)
    # Of what is there, no one knows either whether what is optional was left out.
    unsaid = {} if inputs else dict.fromkeys(schema_of(token).outputs, UNKNOWN)
    return completed(token, {**unsaid, **previewed(token, said), **known}, by_form)


def completed(token: str, outputs: Mapping[str, Value], by_form: OutputsByForm) -> Properties:
    """Fill in every unknown output: by AWS's form, else with a marked value, and list those."""
    schema = schema_of(token)
    complete: Properties = {}
    marks: list[Value] = []

    def filled(value: Value, type_: Type, path: str) -> Value:
        if value is UNKNOWN:
            marks.append(path)
            return marked(type_, schema, f"{by_form.urn}#{path}")
        if isinstance(value, dict) and type_.base in {"object", "map"}:
            properties = schema.properties_of(type_)
            element = type_.args[0] if type_.base == "map" else None
            return {
                name: filled(item, element or properties.get(name, _ANYTHING).type, f"{path}.{name}")
                for name, item in value.items()
            }
        if isinstance(value, list) and type_.base == "list":
            return [filled(item, type_.args[0], f"{path}[{index}]") for index, item in enumerate(value)]
        return value

    for name, value in outputs.items():
        known = by_form.output(name) if value is UNKNOWN else None
        type_ = schema.outputs.get(name, _ANYTHING).type
        complete[name] = filled(value, type_, name) if known is None else known
    if marks:
        complete[REHEARSED] = marks
    return complete


FORMS_FILE: Final = Path(__file__).with_name("forms.json")
_FIELD: Final = re.compile(r"(\{[^}]*\})")
_MADE_UP: Final = re.compile(r"(hex|lower|upper|mixed)(\d+)")
_ALPHABETS: Final[Mapping[str, str]] = {
    "hex": "0123456789abcdef",
    "lower": "0123456789abcdefghijklmnopqrstuvwxyz",
    "upper": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "mixed": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
}


@functools.cache
def all_forms() -> Mapping[str, Mapping[str, str]]:
    """Return the forms of every type, by token and output."""
    return cast("dict[str, dict[str, str]]", json.loads(FORMS_FILE.read_text("utf-8")))


@dataclass
class OutputsByForm:
    """The outputs of one resource that follow from what is known of it.

    Attributes:
        token: The resource's type.
        urn: Its URN: what AWS makes up differs from resource to resource, and stays the same from run to run.
        region: The region that it is in.
        values: What is known of it: its inputs, or what was read.
    """

    token: str
    urn: str
    region: str
    values: Mapping[str, Value]
    _made: dict[str, str | None] = field(default_factory=dict[str, "str | None"])

    def output(self, name: str) -> str | None:
        """Return an output by its form; None when it has none."""
        if name not in self._made:
            form = all_forms().get(self.token, {}).get(name)
            self._made[name] = None
            if form is not None:
                self._made[name] = self._render(name, form)
        return self._made[name]

    def property_of_id(self) -> str:
        """Return the property that is the same as the id; empty when it is another or made of several."""
        form = all_forms().get(self.token, {}).get("id", "")
        return form[1:-1] if re.fullmatch(r"\{\w+\}", form) else ""

    def _render(self, name: str, form: str) -> str:
        text = ""
        for position, step in enumerate(_FIELD.split(form)):
            if step.startswith("{"):
                segment = self._field(name, position, step[1:-1])
                text += segment if step in {form, "{arn}"} else _fitting(text, segment)
            else:
                text += step
        return text

    def _field(self, name: str, position: int, step: str) -> str:
        if step == "?":
            return marked_text(f"{self.urn}#{name}{position}")
        if step.startswith(":"):
            partition = partition_of(self.region)
            known = {":account": ACCOUNT, ":region": self.region, ":partition": partition}
            return known.get(step) or suffix_of(self.region)
        if step.startswith("#"):
            return _made_up(f"{self.urn}#{name}{position}", step[1:])
        wanted, _, default = step.partition("=")
        value = self.values.get(wanted)
        if isinstance(value, str | int) and value != "":
            return str(value)
        return self.output(wanted) or default or marked_text(f"{self.urn}#{wanted}")


def _fitting(before: str, segment: str) -> str:
    """Fit a value into a form: of an ARN the name, and `alias/` once where the name begins with it."""
    if segment.startswith("arn:"):
        segment = re.split(r"[/:]", segment)[-1]
    if before.endswith("/"):
        head = f"{re.split('[/:]', before[:-1])[-1]}/"
        return segment.removeprefix(head) if segment.startswith(head) else segment.removeprefix("/")
    return segment


def _made_up(seed: str, type_: str) -> str:
    digest = hashlib.sha256(seed.encode()).hexdigest()
    if type_ == "uuid":
        return "-".join((digest[:8], digest[8:12], f"4{digest[13:16]}", f"8{digest[17:20]}", digest[20:32]))
    match = _MADE_UP.fullmatch(type_)
    if match is None:
        raise ValueError(f"no form has a field {{#{type_}}}")
    return made_up(digest, int(match[2]), _ALPHABETS[match[1]])
