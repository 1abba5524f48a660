"""Reads the resource types of pulumi_aws and their inputs out of the package's source, without importing it.

The package is generated code of one strict form, and importing all of it takes a minute and gigabytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

INPUT_TYPE: Final = re.compile(r"^@pulumi\.input_type\nclass (\w+):\n", re.MULTILINE)
GETTER: Final = re.compile(
    r"    @pulumi\.getter(?:\(name=\"(\w+)\"\))?\n    def (\w+)\(self\) -> pulumi\.Input\[(.*)\]:\n"
)
RESOURCE: Final = re.compile(
    r"^@pulumi\.type_token\(\"(aws:[^\"]+)\"\)\nclass (\w+)\(pulumi\.CustomResource\)", re.MULTILINE
)
SECRETS: Final = re.compile(r"additional_secret_outputs=\[([^\]]*)\]")
REFERENCE: Final = re.compile(r"'(\w+)'")
LIST: Final = "[*]"
"""What a step of a path ends with that leads into each element of a list."""

Properties = dict[str, str]
"""By a property's name in Pulumi, the annotation of its getter."""


@dataclass(frozen=True)
class Property:
    """An input, or something nested in one.

    Attributes:
        path: Where it is.
        annotation: Its type in Python.
        fields: What is nested in it; None when it is a plain value.
    """

    path: tuple[str, ...]
    annotation: str
    fields: Properties | None


@dataclass(frozen=True)
class ResourceType:
    """A resource type.

    Attributes:
        inputs: Its inputs.
        nested: The types of nested objects of its module, by class.
        secrets: The properties that the schema marks secret, inputs and outputs.
    """

    inputs: Properties
    nested: dict[str, Properties]
    secrets: tuple[str, ...]

    def properties(self) -> Iterator[Property]:
        """Go through all inputs, and what is nested in them."""
        yield from walked(self.inputs, self.nested, ())

    def paths(self) -> Iterator[tuple[tuple[str, ...], bool]]:
        """Go through the paths of all inputs, each with whether it is a plain value and no object."""
        for one in self.properties():
            yield one.path, one.fields is None


@dataclass(frozen=True)
class Sdk:
    """pulumi_aws as installed."""

    version: str
    types: dict[str, ResourceType] = field(repr=False)


def walked(
    properties: Properties,
    nested: dict[str, Properties],
    above: tuple[str, ...],
    inside: frozenset[str] = frozenset(),
) -> Iterator[Property]:
    """Go through properties and what is nested in them; a type within itself is not entered again."""
    for name, annotation in properties.items():
        path = (*above, name + (LIST if "Sequence[" in annotation else ""))
        reference = REFERENCE.search(annotation)
        inner = reference[1] if reference and reference[1] in nested else ""
        yield Property(path, annotation, nested[inner] if inner else None)
        if inner and inner not in inside:
            yield from walked(nested[inner], nested, path, inside | {inner})


def read_sdk() -> Sdk:
    """Read the installed pulumi_aws.

    Raises:
        LookupError: It is not installed.
    """
    spec = find_spec("pulumi_aws")
    if spec is None or spec.origin is None:
        raise LookupError("pulumi_aws is not installed; install requirements/data.txt")
    types: dict[str, ResourceType] = {}
    for folder in sorted({path.parent for path in Path(spec.origin).parent.rglob("*.py")}):
        inputs = folder / "_inputs.py"
        nested = input_types(inputs.read_text("utf-8")) if inputs.exists() else {}
        for path in sorted(folder.glob("*.py")):
            text = path.read_text("utf-8")
            declared = RESOURCE.search(text)
            if declared:
                token, name = declared.groups()
                # The class is called InitArgs where an input type has taken the other name.
                own = input_types(text)
                arguments = own.get(f"{name}Args") or own.get(f"{name}InitArgs") or {}
                secrets = SECRETS.search(text)
                names = re.findall(r'"(\w+)"', secrets[1]) if secrets else []
                types[token] = ResourceType(arguments, nested, tuple(names))
    return Sdk(version("pulumi_aws"), types)


def input_types(text: str) -> dict[str, Properties]:
    """Return the input types of a file, by class."""
    parts = INPUT_TYPE.split(text)
    return {
        parts[at]: {
            name or attribute: annotation for name, attribute, annotation in GETTER.findall(parts[at + 1])
        }
        for at in range(1, len(parts) - 1, 2)
    }
