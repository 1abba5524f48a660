"""What is known of a package: out of its Python SDK where there is one, else out of the program."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

from tapgate.embedded.aws_provider import sdk_source, sdk_text
from tapgate.embedded.aws_provider.marks import Resources, marked, marked_text, snake
from tapgate.embedded.aws_provider.package_schema import object_schema, resource_schema
from tapgate.embedded.aws_provider.resource_schema import Property, ResourceSchema, Type
from tapgate.embedded.aws_provider.usage import PROVIDER, Tree, Usage, Used, older_function, read, short
from tapgate.embedded.aws_provider.values import Properties, Value, contains_unknown, dump_json
from tapgate.embedded.environment import sdk_version

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, object]

_ANY: Final = {"$ref": "pulumi.json#/Any"}
_UNKNOWN_VERSION: Final = "0.0.0"
_AT_LEAST: Final = {"docker": "4.0.0"}
"""Versions from which on the YAML runtime takes a package's resources."""
_METHOD: Final = re.compile(r"(pulumi\.runtime\.call|_utilities\.call_plain)\(\s*'([^']+)'")
_RESULT: Final = re.compile(r"\n    class (\w+Result):\n((?:(?:        .*)?\n)+)")
"""What a method gives: a class in the class of its resource."""
_ARGUMENT: Final = re.compile(r"^    __args__\['(\w+)'\] =", re.MULTILINE)
_COMPONENTS: Final = frozenset({"aws-apigateway", "aws-iam", "aws-static-website", "awsx", "eks"})
"""Packages of components, whose SDK need not be there to know that."""
_SECRET: Final = re.compile(r"password|secret|private_?key", re.IGNORECASE)
_SECRET_OF: Final = {"RandomPassword": ("result", "bcryptHash")}
_SPREAD: Final = 3
"""How many elements a list has of which no one knows how many: programs spread over zones."""


@dataclass(frozen=True, slots=True)
class Known:
    """One resource type or function.

    Attributes:
        schema: Its token, what it takes and what it gives.
        component: It is a component, made of other resources.
        at_once: It is a method whose result the program has at once, not as an output.
        read: What the program reads of it, where the SDK does not tell.
    """

    schema: ResourceSchema
    component: bool = False
    at_once: bool = False
    read: Tree = field(default_factory=dict)

    def is_provider(self, name: str) -> bool:
        """Return whether an output is a provider."""
        return self.schema.outputs[name].type.stand_in.endswith(".Provider")


@dataclass
class Catalog:
    """One package.

    Attributes:
        package: Its name, e.g. `random`.
        program: The YAML program that uses it; None for a program in another language.
        sdk: The folder of its Python SDK; None where there is none.
        unseen: No one knows what its resources are.
    """

    package: str
    program: Path | None = None
    sdk: Path | None = None
    unseen: bool = False
    _known: dict[str, Known] = field(default_factory=dict[str, Known])

    @cached_property
    def usage(self) -> Usage:
        """What the program uses."""
        return read(self.program) if self.program is not None else Usage()

    @cached_property
    def version(self) -> str:
        """The SDK's version; else one that the program asks for."""
        if self.sdk is not None:
            try:
                return sdk_version(self.sdk) or _UNKNOWN_VERSION
            except (OSError, ValueError, AttributeError):
                return _UNKNOWN_VERSION
        asked = sorted(self.usage.versions.get(self.package, ()))
        return next(iter(asked), _AT_LEAST.get(self.package, _UNKNOWN_VERSION))

    def find(self, token: str) -> Known:
        """Return what is known of a resource type or function.

        Args:
            token: As a program or the engine writes it, e.g. `random:RandomId`.
        """
        if token not in self._known:
            member = token.rpartition(":")[2]
            used = self._used(token)
            known = next(self._of_sdk(token), None)
            if known is None:
                known = Known(_of_usage(token, used), not _is_function(member) and self.only_components)
                known = replace(known, read=used.outputs)
            self._known[token] = self._known[known.schema.token] = known
        return self._known[token]

    @property
    def only_components(self) -> bool:
        """Whether the package is known to be one of components."""
        return self.package in _COMPONENTS

    def resource_class(self, reference: str) -> tuple[str, str]:
        """Return the type of a class of another SDK, and that SDK's version; empty where there is none.

        Args:
            reference: As an annotation names the class, e.g. `pulumi_aws.lb.LoadBalancer`.
        """
        package, *modules, name = reference.split(".")
        if self.sdk is None or not all(map(str.isidentifier, (package, *modules, name))):
            return "", ""
        folder = self.sdk.parent / package
        if package == "pulumi_aws" and not folder.is_dir():
            folder = sdk_source.package_folder()
        text = sdk_text.source(folder.joinpath(*modules) / f"{snake(name)}.py")
        if text and name == "Provider" and not modules:
            return f"{PROVIDER}{package.removeprefix('pulumi_').replace('_', '-')}", sdk_version(folder)
        tokens = (token for token, _, _ in sdk_source.defined(text))
        token = next((one for one in tokens if one.rpartition(":")[2] == name), "")
        return token, sdk_version(folder) if token else ""

    def schema_text(self) -> str:
        """Return the package's schema, of what the program uses, as JSON."""
        types: dict[str, Json] = {}
        resources: dict[str, Json] = {}
        functions: dict[str, Json] = {}
        for token in sorted(self.usage.resources) + sorted(self.usage.functions):
            if token.partition(":")[0] != self.package:
                continue
            known = self.find(token)
            schema = known.schema
            refer = partial(_type_token, self.package, schema.token.rpartition(":")[2])
            types.update({refer(name): object_schema(one, refer) for name, one in schema.objects.items()})
            if token in self.usage.functions:
                given, got = object_schema(schema.inputs, refer), object_schema(schema.outputs, refer)
                functions[schema.token] = {"inputs": given, "outputs": got}
            else:
                resources[schema.token] = resource_schema(schema.inputs, schema.outputs, refer)
                if known.component:
                    resources[schema.token]["isComponent"] = True
        configured = dict.fromkeys(sorted(self.usage.providers.get(self.package, Used()).inputs), _ANY)
        return json.dumps(
            {
                "name": self.package,
                "version": self.version,
                "meta": {"moduleFormat": "(.*)(?:/[^/]*)"},
                "provider": {"inputProperties": configured},
                "resources": resources,
                "functions": functions,
                "types": types,
            },
            separators=(",", ":"),
        )

    def _used(self, token: str) -> Used:
        """Return what the program does with a token, however it spells that."""
        asked, joined = short(token), Used()
        for token_used, used in {**self.usage.resources, **self.usage.functions}.items():
            if short(token_used) == asked:
                joined.inputs |= used.inputs
                joined.outputs.update(used.outputs)
        return joined

    def _of_sdk(self, token: str) -> Iterator[Known]:
        """Yield what the SDK says of a token; a file that is not of the one form of SDKs is passed over."""
        if self.sdk is None:
            return
        member = token.rpartition(":")[2].partition("/")[0]
        names = dict.fromkeys((snake(member), member))
        reader = _methods if is_method(token) else _functions if _is_function(member) else _resources
        for path in sorted(path for name in names for path in self.sdk.rglob(f"{name}.py")):
            with contextlib.suppress(LookupError, ValueError, SyntaxError):
                yield from reader(path, token, sdk_source.Objects(path.parent, self.sdk))


def _resources(path: Path, token: str, objects: sdk_source.Objects) -> Iterator[Known]:
    text = sdk_text.source(path)
    for defined, base, start in sdk_source.defined(text):
        if short(defined) == short(token):
            arguments = sdk_source.arguments_body(path, defined.rpartition(":")[2])
            inputs = sdk_source.inputs_of(arguments, objects) if arguments else {}  # Before 2021 none.
            outputs = sdk_source.outputs_of(text[start:], objects)
            secrets = sdk_source.secret_outputs(text[start:])
            schema = ResourceSchema(defined, inputs, outputs, objects.collect(), secrets)
            yield Known(schema, base == "pulumi.ComponentResource")


def _methods(path: Path, token: str, objects: sdk_source.Objects) -> Iterator[Known]:
    text = sdk_text.source(path)
    bodies = {one: re.sub(r"(?m)^    ", "", body) for one, body in _RESULT.findall(text)}
    for how, called in _METHOD.findall(text):
        if called == token:
            outputs = sdk_source.outputs_of(bodies.get(_result(token), ""), objects)
            known = ResourceSchema(token, {}, outputs, objects.collect())
            yield Known(known, at_once=how.startswith("_"))


def _functions(path: Path, token: str, objects: sdk_source.Objects) -> Iterator[Known]:
    text = sdk_text.source(path)
    for called in sdk_source.functions_in(text):
        if short(called) == short(token):
            inputs = {one: Property(Type("any")) for one in _ARGUMENT.findall(text)}
            outputs = sdk_source.outputs_of(sdk_text.class_body(path, _result(called)) or "", objects)
            yield Known(ResourceSchema(called, inputs, outputs, objects.collect()))


def _result(token: str) -> str:
    """Return the class of what a function or method gives."""
    name = re.split("[:/]", token)[-1]
    return f"{name[:1].upper()}{name[1:]}Result"


def as_read(program: Path | None, token: str, args: Properties) -> Properties:
    """Answer a function of another major version of pulumi_aws by that, or by what the program reads."""
    if contains_unknown(args):
        return {}
    older = older_function(token)
    known = Catalog("aws", program).find(token) if older is None else Known(older.schema)
    return result_of(known, token, args)


def result_of(known: Known, token: str, args: Properties) -> Properties:
    """Return what a function gives: its arguments as they are, everything else marked."""
    seed = f"{token}({dump_json(args)})"
    return {
        name: args[name] if name in args else stood_in(known, name, f"{seed}.{name}")
        for name in known.schema.outputs
    }


def stood_in(known: Known, name: str, seed: str, resources: Resources | None = None) -> Value:
    """Return a value that is marked, of the form that an output has."""
    tree = known.read.get(name)
    if tree:
        return _shaped(tree, seed)
    prop = known.schema.outputs.get(name)
    return marked_text(seed) if prop is None else marked(prop.type, known.schema, seed, resources=resources)


def _shaped(tree: Tree, seed: str) -> Value:
    if not tree:
        return marked_text(seed)
    numbers = [step for step in tree if isinstance(step, int)]
    if len(numbers) == len(tree):
        count = max(_SPREAD, *(number + 1 for number in numbers))
        element: Tree = {}
        for one in tree.values():
            element.update(one)
        return [_shaped(element, f"{seed}[{index}]") for index in range(count)]
    return {str(step): _shaped(inner, f"{seed}.{step}") for step, inner in tree.items()}


def _of_usage(token: str, used: Used) -> ResourceSchema:
    inputs = {name: Property(Type("any")) for name in sorted(used.inputs)}
    outputs = {str(name): Property(Type("any"), required=name not in inputs) for name in used.outputs}
    member = token.rpartition(":")[2]
    secret = tuple(name for name in outputs if _SECRET.search(name) or name in _SECRET_OF.get(member, ()))
    return ResourceSchema(_full(token), inputs, {**inputs, **outputs}, secret_outputs=secret)


def _full(token: str) -> str:
    """Return the form of a token that is most likely the package's own."""
    package, _, rest = token.partition(":")
    if ":" in rest:
        return token
    file = rest if _is_function(rest) else f"{rest[:1].lower()}{rest[1:]}"
    return f"{package}:index/{file}:{rest}"


def _is_function(member: str) -> bool:
    return member[:1].islower()


def is_method(token: str) -> bool:
    """Return whether a token is that of a resource's method, e.g. `eks:index:Cluster/getKubeconfig`."""
    return "/" in token.rpartition(":")[2]


def _type_token(package: str, prefix: str, name: str) -> str:
    identifier = re.sub(r"\W", "_", name)
    return f"{package}:{prefix}/{identifier}:{identifier}"
