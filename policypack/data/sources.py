"""What the tables are made of: pulumi_aws's resource types, and AWS's own description of its types.

pulumi_aws is read as source, without importing it: it is generated code of one strict form, and importing all
of it takes a minute and gigabytes. AWS's description is in the npm package `@aws-cdk/aws-service-spec`, whose
version and digest `package-lock.json` here holds.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

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
        fields: What is nested in it; None when it is a scalar.
    """

    path: tuple[str, ...]
    annotation: str
    fields: Properties | None


@dataclass(frozen=True)
class ResourceType:
    """A resource type.

    Attributes:
        nested: The types of nested objects of its module, by class.
        secrets: The properties that the schema marks secret, inputs and outputs.
    """

    inputs: Properties
    nested: dict[str, Properties]
    secrets: tuple[str, ...]

    def properties(self) -> Iterator[Property]:
        """Go through all inputs, and what is nested in them."""
        yield from walked(self.inputs, self.nested, ())


@dataclass(frozen=True)
class Sdk:
    """pulumi_aws as installed."""

    version: str
    types: dict[str, ResourceType] = field(repr=False)

    def scalars(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Go through the scalars of all types: the type's token, and the path."""
        for token, declared in self.types.items():
            yield from ((token, one.path) for one in declared.properties() if one.fields is None)


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


def package_file(package: str, path: str) -> str:
    """Read a file that a package ships, without importing the package.

    Raises:
        LookupError: The package is not installed.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise LookupError(f"{package} is not installed; install requirements/data.txt")
    return (Path(spec.origin).parent / path).read_text("utf-8")


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


PACKAGE: Final = "@aws-cdk/aws-service-spec"
LOCK: Final = ("package.json", "package-lock.json")
WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
TRANSFORMED: Final = "Serverless"
"""The service of SAM's types, which a transform turns into others before there is any resource."""

Entity = dict[str, Any]


@dataclass(frozen=True)
class ServiceSpec:
    """The description.

    Attributes:
        schema: The tables of its database, by name.
    """

    version: str
    schema: dict[str, Any]

    def metrics(self) -> Iterator[tuple[str, str, frozenset[str]]]:
        """Go through the metrics that CloudWatch's console knows: namespace, name, dimensions."""
        sets = {
            entity["$id"]: frozenset(str(one["name"]) for one in entity["dimensions"])
            for entity in self.entities("dimensionSet")
        }
        used: dict[str, list[dict[str, str]]] = self.schema["usesDimensionSet"]["forward"]
        for metric in self.entities("metric"):
            for use in used.get(metric["$id"], ()):
                yield metric["namespace"], metric["name"], sets[use["$id"]]

    def native_paths(self) -> Iterator[tuple[str, tuple[str, ...], bool]]:
        """Go through the properties of all types as aws-native names them, and tell which are scalars."""
        definitions = {entity["$id"]: entity for entity in self.entities("typeDefinition")}
        for resource in self.entities("resource"):
            _, service, name = str(resource["cloudFormationType"]).split("::")
            if service == TRANSFORMED:
                continue
            token = f"aws-native:{service.lower()}:{name}"
            for path, leaf in nested_paths(resource["properties"], definitions, (), frozenset()):
                yield token, path, leaf

    def scalars(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Go through the scalars of all types: the type's token, and the path."""
        yield from ((token, path) for token, path, scalar in self.native_paths() if scalar)

    def entities(self, table: str) -> list[Entity]:
        """Return the entities of a table."""
        entities: list[Entity] = self.schema[table]["entities"]
        return entities


def nested_paths(
    properties: dict[str, Entity],
    definitions: dict[str, Entity],
    above: tuple[str, ...],
    inside: frozenset[str],
) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Go through properties and what is nested in them; a type within itself is not entered again."""
    for name, declared in properties.items():
        declared_type, ending = declared["type"], ""
        while declared_type["type"] == "array":
            declared_type, ending = declared_type["element"], "[*]"
        path = (*above, camel(name) + ending)
        inner = declared_type["reference"]["$ref"] if declared_type["type"] == "ref" else ""
        yield path, not inner
        if inner and inner not in inside:
            yield from nested_paths(definitions[inner]["properties"], definitions, path, inside | {inner})


def camel(name: str) -> str:
    """Write a name of CloudFormation's as aws-native does: `DynamoDBStreamARN` is `dynamoDbStreamArn`."""
    first, *others = WORD.findall(name)
    return first.lower() + "".join(map(str.capitalize, others))


def read_service_spec() -> ServiceSpec:
    """Install the package where nothing else is, and read it.

    Raises:
        RuntimeError: npm is missing, or did not install it.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError(f"npm is not installed; it brings {PACKAGE}, of which tables are made")
    with tempfile.TemporaryDirectory() as scratch:
        for name in LOCK:
            shutil.copy(Path(__file__).with_name(name), scratch)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"npm did not install {PACKAGE}: {done.stderr.strip()[-500:]}")
        folder = Path(scratch, "node_modules", PACKAGE)
        database = json.loads(gzip.decompress((folder / "db.json.gz").read_bytes()))
        described = json.loads((folder / "package.json").read_text("utf-8"))
    return ServiceSpec(described["version"], database["schema"])
