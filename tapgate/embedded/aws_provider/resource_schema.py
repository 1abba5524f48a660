"""What the stand-in knows of one type: its inputs, outputs and their objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import msgspec

Base: TypeAlias = Literal[
    "string", "integer", "number", "boolean", "any", "asset", "archive", "list", "map", "object", "union"
]
Form: TypeAlias = Literal["", "arn", "json", "policy", "iam-policy"]


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a property.

    Attributes:
        type_: What it is; `asset` admits an asset, `archive` an archive.
        name: For `object`, the key into `ResourceSchema.objects`; for `string`, its enumeration; else empty.
        args: The element of a list or map, the choices of a union; empty otherwise.
        stand_in: A value of its enumeration; of another package's resource, its class in that SDK.
    """

    base: Base
    name: str = ""
    args: tuple[Type, ...] = ()
    stand_in: str = field(default="", compare=False)

    def element(self) -> Type:
        """Return what is in a list, however deep, or the type itself."""
        return self.args[0].element() if self.base == "list" else self

    def describe(self) -> str:
        """Say the type as a message to a user does: `a list of strings`, `true or false`, …."""
        if self.base == "list":
            return f"a list, each element {self.args[0].describe()}"
        if self.base == "map":
            return f"a map, each value {self.args[0].describe()}"
        if self.base == "union":
            return " or ".join(variant.describe() for variant in self.args)
        return _SAID[self.base]


_SAID: dict[Base, str] = {
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
        managed: pulumi-aws says in it that Pulumi manages the resource, where the program gives none.
    """

    type: Type
    required: bool = False
    replaces: bool = False
    limit: Limit | None = None
    conflicts: tuple[str, ...] = ()
    managed: bool = False


Object: TypeAlias = Mapping[str, Property]


@dataclass(frozen=True, slots=True)
class ResourceSchema:
    """One resource type as pulumi_aws has it; all names are Pulumi's camelCase.

    Attributes:
        token: Type token, e.g. `aws:kms/key:Key`.
        inputs: What a program may set.
        outputs: What a program may read.
        objects: The objects that `inputs` and `outputs` refer to by name.
        secret_outputs: Outputs that are secret whatever the program says.
    """

    token: str
    inputs: Object
    outputs: Object
    objects: Mapping[str, Object] = field(default_factory=dict[str, Object])
    secret_outputs: tuple[str, ...] = ()

    def properties_of(self, type_: Type | None) -> Object:
        """Return the properties of an object's type; none for every other type."""
        return self.objects.get(type_.name, {}) if type_ is not None and type_.base == "object" else {}


DECODER: Final = msgspec.json.Decoder(ResourceSchema)
