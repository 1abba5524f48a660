"""The package schema that Pulumi's YAML runtime types programs by, made of the installed pulumi_aws and kept.

It has every resource type, function and nested type, without their docs. What the source does not say stays
out: descriptions, deprecations, defaults, state inputs and the settings of other languages' code generators.
Pulumi's YAML runtime reads none of them. It is made once for each version of pulumi_aws.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tapgate.embedded.aws_provider import sdk_source, sdk_text
from tapgate.embedded.aws_provider.resource_schema import Object, Property, Type
from tapgate.embedded.aws_provider.schema_store import keep_file
from tapgate.embedded.paths import SCHEMAS, cache_root

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.sdk_text import Direction

_INDEX = "index"


def module_of(folder: str) -> str:
    """Return the module of a folder of pulumi_aws: `lambda_` is `lambda`, the package itself is `index`."""
    return _INDEX if folder == "pulumi_aws" else folder.rstrip("_")


def type_token(module: str, name: str, direction: Direction) -> str:
    """Return the token of an object's class, e.g. `BucketCorsRuleArgs`, of a result `GetSecretSecretResult`.

    The class that programs give and the one that they get of one object have one token.
    """
    generated = direction == "inputs" or name.startswith("Get")
    stem = name.removesuffix("Args" if direction == "inputs" else "Result") if generated else name
    if stem.startswith("Get"):
        stem = stem[0].lower() + stem[1:]
    return f"aws:{module}/{stem}:{stem}"


@dataclass(frozen=True, slots=True)
class ModuleTypes:
    """Refers to nested types from one module of pulumi_aws."""

    module: str

    def refer(self, reference: str, direction: Direction) -> str:
        """Return the token of an object's type."""
        module, name = self._location(reference)
        return type_token(module, name, direction)

    def enumeration(self, reference: str) -> Type:
        """Return an enumeration's type, by its token."""
        module, name = self._location(reference)
        return Type("string", f"aws:{module}/{name}:{name}")

    def _location(self, reference: str) -> tuple[str, str]:
        prefix, _, name = reference.rpartition(".")
        if prefix in {"", "outputs"}:
            return self.module, name
        # `_iam.PolicyStatementArgs`, `_root_enums.Region`
        return (_INDEX if prefix.startswith("_root") else prefix.strip("_").partition(".")[0]), name


Json = dict[str, object]

_ALIASES = re.compile(r"pulumi\.ResourceOptions\(aliases=\[(.*)\]\)")
_ALIAS = re.compile(r"pulumi\.Alias\(type_=\"([^\"]+)\"\)")
_SECRET_INPUT = re.compile(
    r"__props__\.__dict__\[\"(\w+)\"\] = None if \w+ is None else pulumi\.Output\.secret\("
)
_ENUMERATION = re.compile(
    r"^@pulumi\.type_token\(\"([^\"]+)\"\)\nclass \w+\(_builtins\.str, Enum\):\n((?:(?:    .*)?\n)*)",
    re.MULTILINE,
)
_SINGLE = frozenset({"str", "_builtins.str"})
"""Results of functions that give a single value; all of pulumi_aws's that do give a text."""
_BUILT_IN: Mapping[str, Json] = {
    name: {"$ref": f"pulumi.json#/{name.capitalize()}"} for name in ("any", "asset", "archive")
}


def generate() -> Json:
    """Make the schema of the installed pulumi_aws."""
    resources: dict[str, Json] = {}
    functions: dict[str, Json] = {}
    types: dict[str, Json] = {}
    for folder in _modules():
        module = ModuleTypes(module_of(folder.name))
        types.update(_object_types(folder, module))
        types.update(_enumerations(folder))
    for path in sdk_source.member_files():
        module, text = ModuleTypes(module_of(path.parent.name)), sdk_text.source(path)
        for token in sdk_source.resources_in(text):
            resources[token] = _resource(path, text, token, module)
        for token in sdk_source.functions_in(text):
            functions[token] = _function(path, module)
    return {
        "name": "aws",
        "version": sdk_source.package_version(),
        "meta": {"moduleFormat": "(.*)(?:/[^/]*)"},
        "provider": _provider(),
        "resources": resources,
        "functions": functions,
        "types": types,
    }


def _modules() -> list[Path]:
    root = sdk_source.package_folder()
    return [root, *sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("_"))]


def _resource(path: Path, text: str, token: str, module: ModuleTypes) -> Json:
    member = token.rpartition(":")[2]
    resource = sdk_source.resource_body(text, token)
    arguments = sdk_source.arguments_body(path, member) or ""
    schema = _both_sides(arguments, resource, module)
    aliases = _ALIASES.search(resource)
    if aliases is not None:
        schema["aliases"] = [{"type": type_} for type_ in _ALIAS.findall(aliases[1])]
    return schema


def _provider() -> Json:
    path = sdk_source.package_folder() / "provider.py"
    text = sdk_text.source(path)
    resource = text[text.index("class Provider(") :]
    return _both_sides(sdk_text.class_body(path, "ProviderArgs") or "", resource, ModuleTypes("index"))


def _both_sides(arguments: str, resource: str, module: ModuleTypes) -> Json:
    inputs = sdk_source.inputs_of(arguments, module)
    outputs = sdk_source.outputs_of(resource, module)
    camel = {getter.py: getter.name for getter in sdk_text.getters(arguments)}
    schema = resource_schema(inputs, outputs)
    for members, secret in (
        ("inputProperties", [camel[name] for name in _SECRET_INPUT.findall(resource)]),
        ("properties", sdk_source.secret_outputs(resource)),
    ):
        for name in secret:
            cast("dict[str, Json]", schema[members])[name]["secret"] = True
    return schema


def _function(path: Path, module: ModuleTypes) -> Json:
    inputs, outputs = sdk_source.function_properties(path, module)
    signature = sdk_text.signature(path)
    single = signature is not None and signature.result in _SINGLE
    return {
        "inputs": object_schema(inputs),
        "outputs": {"type": "string"} if single else object_schema(outputs),
    }


def _object_types(folder: Path, module: ModuleTypes) -> dict[str, Json]:
    """Return the objects of a module; what a program gives says what is required of an object."""
    objects: dict[str, dict[str, Property]] = {}
    inputs, outputs = folder / "_inputs.py", folder / "outputs.py"
    for name in sdk_text.classes(outputs):
        token = type_token(module.module, name, "outputs")
        objects[token] = sdk_source.outputs_of(sdk_text.class_body(outputs, name) or "", module)
    for name in sdk_text.classes(inputs):
        if name.endswith("Args"):
            token = type_token(module.module, name, "inputs")
            given = sdk_source.inputs_of(sdk_text.class_body(inputs, name) or "", module)
            computed = {
                name: Property(prop.type)
                for name, prop in objects.get(token, {}).items()
                if name not in given
            }
            objects[token] = {**given, **computed}
    return {token: object_schema(properties) for token, properties in objects.items()}


def _enumerations(folder: Path) -> dict[str, Json]:
    enumerations: dict[str, Json] = {}
    for token, body in _ENUMERATION.findall(sdk_text.source(folder / "_enums.py")):
        values = [{"value": value.strip('"')} for value in sdk_text.ENUM_VALUE.findall(body)]
        enumerations[token] = {"type": "string", "enum": values}
    return enumerations


def resource_schema(inputs: Object, outputs: Object, refer: Callable[[str], str] = str) -> Json:
    """Return a resource's part of a package's schema.

    `refer` makes the token of an object's type of the name that the resource's own schema has for it.
    """
    given, got = object_schema(inputs, refer), object_schema(outputs, refer)
    return {
        "inputProperties": given["properties"],
        "requiredInputs": given["required"],
        "properties": got["properties"],
        "required": got["required"],
    }


def object_schema(properties: Object, refer: Callable[[str], str] = str) -> Json:
    """Return an object's part of a package's schema; see `resource_schema`."""
    return {
        "type": "object",
        "properties": {name: _type(prop.type, refer) for name, prop in properties.items()},
        "required": [name for name, prop in properties.items() if prop.required],
    }


def _type(type_: Type, refer: Callable[[str], str]) -> Json:
    if type_.base == "list":
        return {"type": "array", "items": _type(type_.args[0], refer)}
    if type_.base == "map":
        return {"type": "object", "additionalProperties": _type(type_.args[0], refer)}
    if type_.base == "union":
        return {"oneOf": [_type(variant, refer) for variant in type_.args]}
    if type_.name:
        return {"$ref": f"#/types/{refer(type_.name)}"}
    return _BUILT_IN.get(type_.base) or {"type": type_.base}


def schema_text() -> str:
    """Return the schema of the installed pulumi_aws as JSON."""
    path = cache_file()
    text = _load(path)
    if text is None:
        text = json.dumps(generate(), separators=(",", ":"))
        keep_file(path, f"{_seal(text)}\n{text}")
    return text


def cache_file() -> Path:
    """Return where the schema is cached."""
    digest = hashlib.sha256()
    # A change of what decides what is in a schema is another entry of the cache.
    for path in (__file__, sdk_source.__file__, sdk_text.__file__):
        digest.update(Path(path).read_bytes())
    name = f"{sdk_source.package_version()}-{digest.hexdigest()[:12]}.json"
    return cache_root() / SCHEMAS / name


def _load(path: Path) -> str | None:
    """Return a cached schema; None when there is none, or not the whole of one."""
    try:
        seal, _, text = path.read_text("utf-8").partition("\n")
    except (OSError, ValueError):
        return None
    return text if text and seal == _seal(text) else None


def _seal(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"
