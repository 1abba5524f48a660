"""What the stand-in knows of one type, its inputs, outputs and their objects, and values that stand in."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.values import Value

Kind: TypeAlias = Literal[
    "string", "integer", "number", "boolean", "any", "asset", "archive", "list", "map", "object", "union"
]
Form: TypeAlias = Literal["", "arn", "json", "policy", "iam-policy"]


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a property.

    Attributes:
        kind: What it is; `asset` admits an asset, `archive` an archive.
        name: For `object`, the key into `ResourceSchema.objects`; for `string`, its enumeration; else empty.
        args: The element of a list or map, the choices of a union; empty otherwise.
        stand_in: A value of its enumeration; of another package's resource, its class in that SDK.
    """

    kind: Kind
    name: str = ""
    args: tuple[Type, ...] = ()
    stand_in: str = field(default="", compare=False)

    def describe(self) -> str:
        """Say the type as a message to a user does: `a list of strings`, `true or false`, …."""
        if self.kind == "list":
            return f"a list, each element {self.args[0].describe()}"
        if self.kind == "map":
            return f"a map, each value {self.args[0].describe()}"
        if self.kind == "union":
            return " or ".join(choice.describe() for choice in self.args)
        return _SAID[self.kind]


_SAID: dict[Kind, str] = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "any": "anything",
    "asset": "an asset (fn::fileAsset, fn::stringAsset)",
    "archive": "an archive (fn::fileArchive, fn::assetArchive)",
    "object": "an object",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """What values AWS takes for a property, beyond its type.

    Attributes:
        choices: Values that it takes whatever else is said; if nothing else is, the only ones.
        multiple: It takes multiples of this number as well; 0 for none.
        minimum: The least number that it takes, None for no bound.
        maximum: The greatest.
        min_length: The fewest characters.
        max_length: The most, None for no bound.
        pattern: What the whole text has to be like; empty for anything.
        form: What the text has to be.
    """

    choices: tuple[bool | int | float | str, ...] = ()
    multiple: int = 0
    minimum: int | float | None = None
    maximum: int | float | None = None
    min_length: int = 0
    max_length: int | None = None
    pattern: str = ""
    form: Form = ""


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a resource or of an object inside it.

    Attributes:
        type: Its type.
        required: For an input: the program has to give it. For an output: pulumi-aws always has a value for
            it, be it from the program or from AWS.
        replaces: pulumi-aws's documentation says that a change forces a new resource.
        limit: What values it takes, as far as that is published.
        conflicts: Siblings that cannot be given besides.
    """

    type: Type
    required: bool = False
    replaces: bool = False
    limit: Limit | None = None
    conflicts: tuple[str, ...] = ()


Object: TypeAlias = Mapping[str, Property]


@dataclass(frozen=True, slots=True)
class ResourceSchema:
    """One resource type as pulumi_aws has it; all names are Pulumi's camelCase.

    Attributes:
        token: Type token, e.g. `aws:kms/key:Key`.
        inputs: What a program may set.
        outputs: What a program may read.
        one_of: Groups of inputs of which at least one has to be given.
        objects: The objects that `inputs` and `outputs` refer to by name.
        secret_outputs: Outputs that are secret whatever the program says.
    """

    token: str
    inputs: Object
    outputs: Object
    objects: Mapping[str, Object] = field(default_factory=dict[str, Object])
    secret_outputs: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()

    def properties_of(self, kind: Type | None) -> Object:
        """Return the properties of an object's type; none for every other type."""
        nothing: dict[str, Property] = {}
        return self.objects.get(kind.name, nothing) if kind is not None and kind.kind == "object" else nothing


def to_json(schema: ResourceSchema) -> bytes:
    """Return a schema as what `from_json` reads back."""
    return msgspec.json.encode(schema)


def from_json(document: bytes) -> ResourceSchema:
    """Read what `to_json` wrote.

    Raises:
        msgspec.DecodeError: The document is not one of `to_json`'s.
    """
    return _DECODER.decode(document)


_DECODER: Final = msgspec.json.Decoder(ResourceSchema)


MARK: Final = "tapunknown"
"""In every marked text: lower case, without separators: it survives what programs do with names."""

MARK_IN_BASE64: Final = base64.b64decode("QTApUnknOWNQ").decode()
"""A text that bears the mark when it is encoded, behind a multiple of three bytes."""

MARKED_NUMBER: Final = 1_618_033_988
"""Every marked number: none that a program is likely to write."""

REHEARSED: Final = "__rehearsed"
"""The output that lists those of a resource's outputs that no one knows: true and false cannot be marked."""

PROGRAM_FOLDER: Final = "TAPGATE_PROGRAM_FOLDER"
"""Names the folder of the program that a stand-in works for."""

_DEEPEST: Final = 8
_DEEPEST_OPTIONAL: Final = 4


def marked_text(seed: str) -> str:
    """Return a marked text; the same for the same seed.

    Args:
        seed: What it stands for, e.g. a resource's URN and an output.
    """
    return MARK + hashlib.sha256(seed.encode()).hexdigest()[:8]


def contains_mark(value: Value) -> bool:
    """Return whether a value stands in for something, or has something inside that does."""
    if isinstance(value, list):
        return any(contains_mark(item) for item in value)
    if isinstance(value, dict):
        return any(contains_mark(item) for item in (*value, *value.values()))
    return value == MARKED_NUMBER or (isinstance(value, str) and MARK in value.lower())


Resources = Callable[[str, str], "Value"]
"""Returns what stands for a resource: by its class in another package's SDK, and the seed."""


def marked(
    kind: Type, schema: ResourceSchema, seed: str, depth: int = 0, resources: Resources | None = None
) -> Value:
    """Return a value of a type, marked as far as it can be.

    Args:
        kind: The type.
        schema: What the objects in it are.
        seed: What it stands for.
        depth: How deep in another value it is; objects may hold themselves.
        resources: Makes what is a resource of another package; such a one is a text where it is None.
    """
    if resources is not None and kind.kind == "any" and kind.stand_in:
        return resources(kind.stand_in, seed)
    inner = functools.partial(marked, schema=schema, depth=depth + 1, resources=resources)
    if kind.kind == "list":
        # Programs take the first one, and spread over zones; an object may become a resource each.
        count = 1 if kind.args[0].kind in {"object", "union"} else 3
        return [inner(kind.args[0], seed=f"{seed}[{index}]") for index in range(count)]
    if kind.kind == "map":
        # A key that no one knows makes all of the map unknown: which others there are, no one knows.
        keys = {marked_text(f"{seed}[*]"): "*", **{key: key for key in _lookups()[0]}}
        return {key: inner(kind.args[0], seed=f"{seed}[{name}]") for key, name in keys.items()}
    if kind.kind == "object" and depth > _DEEPEST:
        return {}
    if kind.kind == "object":
        besides = not schema.token.startswith("aws:") and depth <= _DEEPEST_OPTIONAL
        return {
            name: inner(prop.type, seed=f"{seed}.{name}")
            for name, prop in schema.properties_of(kind).items()
            if prop.required or (besides and is_read(name))
        }
    return _plain(kind, seed)


def _plain(kind: Type, seed: str) -> Value:
    if kind.kind in {"integer", "number"}:
        return MARKED_NUMBER
    if kind.kind == "boolean":
        return False
    # Pulumi's Python SDK waits for ever for an output that is no value of its enumeration.
    return kind.stand_in if kind.kind == "string" and kind.stand_in else marked_text(seed)


def is_read(name: str) -> bool:
    """Say whether the program's text reads an attribute of this name: it expects that to be there."""
    from tapgate.embedded.aws_provider.sdk_text import snake  # noqa: PLC0415 - it takes this module

    return snake(name) in _lookups()[1]


@functools.cache
def _lookups() -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the keys that the program's text looks up, and the attributes that it reads."""
    from tapgate.embedded.program_text import lookups  # noqa: PLC0415 - it marks values, too

    folder = os.environ.get(PROGRAM_FOLDER)
    return lookups(Path(folder)) if folder else ((), frozenset())
