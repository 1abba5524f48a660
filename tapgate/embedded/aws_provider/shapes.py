"""What the stand-in knows of one resource type: its inputs, its outputs and the objects nested in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind: TypeAlias = Literal[
    "string", "integer", "number", "boolean", "any", "asset", "archive", "list", "map", "object", "union"
]


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a property.

    Attributes:
        kind: What it is; `asset` admits an asset, `archive` an archive.
        name: For `object`, the key into `ResourceShape.objects`; empty otherwise.
        args: The element of a list or map, the choices of a union; empty otherwise.
    """

    kind: Kind
    name: str = ""
    args: tuple[Type, ...] = ()

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
class Property:
    """One property of a resource or of an object inside it.

    Attributes:
        type: Its type.
        required: For an input: the program has to give it. For an output: pulumi-aws always has a value for
            it, be it from the program or from AWS.
        replaces: pulumi-aws's documentation says that a change forces a new resource.
    """

    type: Type
    required: bool = False
    replaces: bool = False


Object: TypeAlias = "Mapping[str, Property]"


@dataclass(frozen=True, slots=True)
class ResourceShape:
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
    objects: Mapping[str, Object] = field(default_factory=dict[str, "Object"])
    secret_outputs: tuple[str, ...] = ()

    def properties_of(self, kind: Type | None) -> Object:
        """Give the properties of an object's type; none for every other type."""
        nothing: dict[str, Property] = {}
        return self.objects.get(kind.name, nothing) if kind is not None and kind.kind == "object" else nothing


def to_json(shape: ResourceShape) -> dict[str, object]:
    """Turn a shape into what `from_json` reads back."""
    return {
        "token": shape.token,
        "inputs": _object_to_json(shape.inputs),
        "outputs": _object_to_json(shape.outputs),
        "objects": {name: _object_to_json(properties) for name, properties in shape.objects.items()},
        "secretOutputs": list(shape.secret_outputs),
    }


def from_json(document: Mapping[str, object]) -> ResourceShape:
    """Read what `to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: The document is not one of `to_json`'s.
    """
    objects = cast("dict[str, dict[str, list[object]]]", document["objects"])
    return ResourceShape(
        token=str(document["token"]),
        inputs=_object_from_json(cast("dict[str, list[object]]", document["inputs"])),
        outputs=_object_from_json(cast("dict[str, list[object]]", document["outputs"])),
        objects={name: _object_from_json(properties) for name, properties in objects.items()},
        secret_outputs=tuple(cast("list[str]", document["secretOutputs"])),
    )


def _object_to_json(properties: Object) -> dict[str, list[object]]:
    return {
        name: [_type_to_json(prop.type), prop.required, prop.replaces] for name, prop in properties.items()
    }


def _object_from_json(document: Mapping[str, list[object]]) -> dict[str, Property]:
    return {
        name: Property(_type_from_json(cast("list[object]", kind)), bool(required), bool(replaces))
        for name, (kind, required, replaces) in document.items()
    }


def _type_to_json(kind: Type) -> list[object]:
    return [kind.kind, kind.name, *(_type_to_json(arg) for arg in kind.args)]


def _type_from_json(document: list[object]) -> Type:
    kind, name, *args = document
    return Type(
        cast("Kind", kind), str(name), tuple(_type_from_json(cast("list[object]", arg)) for arg in args)
    )
