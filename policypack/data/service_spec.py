"""Reads what AWS says of CloudFormation's types and CloudWatch's metrics, as the AWS CDK publishes it.

It is in the npm package `@aws-cdk/aws-service-spec`, whose version and digest `package-lock.json` here holds.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        version: That of the package.
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
            for link in used.get(metric["$id"], ()):
                yield metric["namespace"], metric["name"], sets[link["$id"]]

    def native_paths(self) -> Iterator[tuple[str, tuple[str, ...], bool]]:
        """Go through the properties of all types as aws-native names them: type token, path, plain value."""
        definitions = {entity["$id"]: entity for entity in self.entities("typeDefinition")}
        for resource in self.entities("resource"):
            _, service, name = str(resource["cloudFormationType"]).split("::")
            if service == TRANSFORMED:
                continue
            token = f"aws-native:{service.lower()}:{name}"
            for path, plain in walked(resource["properties"], definitions, (), frozenset()):
                yield token, path, plain

    def entities(self, table: str) -> list[Entity]:
        """Return the entities of a table."""
        entities: list[Entity] = self.schema[table]["entities"]
        return entities


def walked(
    properties: dict[str, Entity],
    definitions: dict[str, Entity],
    above: tuple[str, ...],
    inside: frozenset[str],
) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Go through properties and what is nested in them; a type within itself is not entered again."""
    for name, declared in properties.items():
        kind, ending = declared["type"], ""
        while kind["type"] == "array":
            kind, ending = kind["element"], "[*]"
        path = (*above, camel(name) + ending)
        inner = kind["reference"]["$ref"] if kind["type"] == "ref" else ""
        yield path, not inner
        if inner and inner not in inside:
            yield from walked(definitions[inner]["properties"], definitions, path, inside | {inner})


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
