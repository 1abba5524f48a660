"""What a YAML program uses: by resource type and function, what it gives and what it reads.

It is all that is known of a package whose SDK is nowhere to be read. What is misspelt is so here as well: the
engine, which types YAML programs by a package's schema, finds nothing wrong with such a program. Where a
program is written for another major version of pulumi_aws than is installed, what the installed one no longer
has is added to its schema, as of any type.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from tapgate.embedded.program_text import mapping, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tapgate.embedded.aws_provider.older_functions import Older

Tree: TypeAlias = "dict[str | int, Tree]"
"""What is read of a value: properties by name, elements by number; empty where it is cut as it is."""

_OWN = "pulumi"
PROVIDER = "pulumi:providers:"
_REFERENCE = re.compile(r"\$\{\s*([A-Za-z_][\w-]*)((?:\.[\w$-]+|\[(?:\d+|\"[^\"]*\")\])*)\s*\}")
_STEP = re.compile(r"\.([\w$-]+)|\[(\d+)\]|\[\"([^\"]*)\"\]")
_OF_LISTS = frozenset({"fn::select", "fn::join"})
_SPLITS = frozenset({"std:split", "std:index:split"})
_DECODES = frozenset({"std:base64decode", "std:index:base64decode"})
_OF_EVERY_RESOURCE = frozenset({"id", "urn"})


@dataclass
class Used:
    """What a program does with one resource type or function."""

    inputs: set[str] = field(default_factory=set[str])
    outputs: Tree = field(default_factory=dict)


@dataclass
class Usage:
    """What a program uses, by the tokens that it writes.

    Attributes:
        resources: By type.
        functions: By function.
        providers: Of the configuration of explicit providers, by package.
        versions: The versions that it asks for, by package.
    """

    resources: dict[str, Used] = field(default_factory=dict[str, Used])
    functions: dict[str, Used] = field(default_factory=dict[str, Used])
    providers: dict[str, Used] = field(default_factory=dict[str, Used])
    versions: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    def packages(self) -> set[str]:
        """Return the packages."""
        tokens = {*self.resources, *self.functions}
        return {token.partition(":")[0] for token in tokens} | set(self.providers)


def read(program: Path) -> Usage:
    """Read a YAML or JSON program; of what is none nothing is used, and the engine says what is wrong."""
    body = read_yaml(program)
    usage = Usage()
    named: dict[str, Tree] = {}
    for name, one in mapping(body.get("resources")).items():
        resource = mapping(one)
        used = _declared(usage, str(resource.get("type", "")))
        if used is not None:
            named[name] = used.outputs
            used.inputs.update(mapping(resource.get("properties")))
            used.inputs.update(mapping(mapping(resource.get("get")).get("state")))
            _version(usage, str(resource["type"]), resource.get("options"))
    _functions(usage, body)
    for name, value in mapping(body.get("variables")).items():
        called = _called(value)
        if called is not None:
            token, _, wanted = called
            outputs = usage.functions[token].outputs
            named[name] = outputs[wanted] if wanted else outputs
    for name, steps in references(body):
        if name in named:
            _note(named[name], steps)
    for used in usage.resources.values():
        for every in _OF_EVERY_RESOURCE:
            used.outputs.pop(every, None)
    return usage


def short(token: str) -> tuple[str, str, str]:
    """Return what all forms of a token have in common: package, module and member."""
    package, *modules, member = token.split(":")
    module = modules[0].partition("/")[0] if modules else "index"
    return package, module, member


def older_function(token: str) -> Older | None:
    """Return a function that pulumi_aws has no more, however it is spelled; None where it is none."""
    if not token.startswith("aws:"):
        return None
    from tapgate.embedded.aws_provider.older_functions import older_functions  # noqa: PLC0415 - of AWS's alone

    return next((one for known, one in older_functions().items() if short(known) == short(token)), None)


def _declared(usage: Usage, token: str) -> Used | None:
    package, _, member = token.partition(":")
    if token.startswith(PROVIDER):
        return usage.providers.setdefault(token.removeprefix(PROVIDER), Used())
    if package == _OWN or not member:
        return None
    return usage.resources.setdefault(token, Used())


def _version(usage: Usage, token: str, options: object) -> None:
    version = mapping(options).get("version")
    package = token.removeprefix(PROVIDER).partition(":")[0]
    if version:
        usage.versions.setdefault(package, set()).add(str(version))


def _functions(usage: Usage, value: object) -> None:
    called = _called(value)
    if called is not None:
        token, arguments, given = called
        used = usage.functions.setdefault(token, Used())
        used.inputs.update(arguments)
        if given:
            _note(used.outputs, [given])
        _version(usage, token, mapping(next(iter(mapping(value).values()))).get("options"))
    for one in _inside(value):
        _functions(usage, one)


def _called(value: object) -> tuple[str, Mapping[str, object], str] | None:
    """Return token, arguments and the result that is wanted of a call; None where the value is none."""
    invoke = mapping(value)
    if len(invoke) != 1:
        return None
    ((key, inner),) = invoke.items()
    prefix, _, token = key.partition("::")
    if prefix.casefold() != "fn":
        return None
    if token.casefold() == "invoke":
        call = {name.casefold(): one for name, one in mapping(inner).items()}
        function = str(call.get("function", ""))
        known = (function, mapping(call.get("arguments")), str(call.get("return") or ""))
        return known if ":" in function else None
    return (token, mapping(inner), "") if ":" in token else None


def references(value: object) -> Iterator[tuple[str, list[str | int]]]:
    """Yield what a value of a YAML program refers to, and the steps inside of that."""
    if isinstance(value, str):
        for name, path in _REFERENCE.findall(value):
            yield name, [int(number) if number else dot or text for dot, number, text in _STEP.findall(path)]
    for key, inner in mapping(value).items():
        arguments: list[object] = cast("list[object]", inner) if isinstance(inner, list) else []
        if key.casefold() in _OF_LISTS and len(arguments) > 1:
            for name, steps in references(arguments[1]) if isinstance(arguments[1], str) else ():
                yield name, [*steps, 0]
    for one in _inside(value):
        yield from references(one)


def parted(body: Mapping[str, object]) -> Iterator[tuple[list[str | int], str, int]]:
    """Yield what a YAML program splits or decodes.

    Yields:
        What it refers to, and the steps inside of that; by what it splits it, nothing for Base64; and the
        number of the last part that it reads.
    """
    last: dict[str, int] = {}
    for name, steps in references(body):
        last[name] = max([last.get(name, 0), *(step for step in steps if isinstance(step, int))])
    for name, value in mapping(body.get("variables")).items():
        yield from _apart(value, last.get(name, 0))
    yield from _apart({key: value for key, value in body.items() if key != "variables"}, 0)


def _apart(value: object, last: int) -> Iterator[tuple[list[str | int], str, int]]:
    items = {key.casefold(): inner for key, inner in mapping(value).items()}
    token, given, _ = _called(value) or ("", items, "")
    cut: tuple[object, object] | None = None
    if token in _SPLITS:
        cut = (given.get("text"), given.get("separator"))
    elif token in _DECODES or "fn::frombase64" in items:
        cut = (given.get("input", given.get("fn::frombase64")), "")
    arguments = items.get("fn::split", items.get("fn::select"))
    if isinstance(arguments, list) and len(cast("list[object]", arguments)) > 1:
        first, second = cast("list[object]", arguments)[:2]
        if "fn::split" in items:
            cut = (second, first)
        else:
            last = first if isinstance(first, int) else 0
    if cut is not None and isinstance(cut[0], str):
        for name, steps in references(cut[0]):
            yield [name, *steps], str(cut[1]), last
    for one in _inside(value):
        yield from _apart(one, last)


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, list):
        yield from cast("list[object]", value)
    yield from mapping(cast("object", value)).values()


def _note(tree: Tree, steps: list[str | int]) -> None:
    for step in steps:
        tree = tree.setdefault(step, {})


_Json = dict[str, dict[str, object]]
_ANY: Final = {"$ref": "pulumi.json#/Any"}


def widened(text: str, program: Path) -> str:
    """Return a package schema that has what a program uses besides."""
    schema, usage = cast("dict[str, dict[str, _Json]]", json.loads(text)), read(program)
    by_short = {short(token): one for token, one in schema["resources"].items()}
    for token, used in usage.resources.items():
        resource = by_short.get(short(token))
        if resource is not None:
            _add(resource, "inputProperties", used.inputs)
            _add(resource, "properties", [*used.inputs, *used.outputs])
    functions = {short(token): one for token, one in schema["functions"].items()}
    for token, used in usage.functions.items():
        package, module, member = short(token)
        if package != "aws":
            continue
        if short(token) not in functions and (usage.versions.get("aws") or older_function(token)):
            added: _Json = {"inputs": {"properties": {}}, "outputs": {"properties": {}}}
            schema["functions"][f"{package}:{module}/{member}:{member}"] = functions[short(token)] = added
        for direction, names in (("inputs", used.inputs), ("outputs", used.outputs)):
            owner = cast("_Json", functions.get(short(token), {}).get(direction, {}))
            if "properties" in owner:
                _add(owner, "properties", names)
    return json.dumps(schema, separators=(",", ":"))


def _add(owner: _Json, name: str, more: Iterable[str | int]) -> None:
    owner[name] = {**dict.fromkeys(map(str, more), _ANY), **owner.get(name, {})}
