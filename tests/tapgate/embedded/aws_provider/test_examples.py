"""The examples in pulumi_aws's own documentation are taken: nothing is refused that AWS takes."""

from __future__ import annotations

import ast
import json
import re
import textwrap
from typing import TYPE_CHECKING, cast

import pytest

from tapgate.embedded.aws_provider import sdk_source, sdk_text
from tapgate.embedded.aws_provider.inputs import Request, check_inputs
from tapgate.embedded.aws_provider.schema_store import schema_of
from tapgate.embedded.aws_provider.settings import Settings
from tapgate.embedded.aws_provider.values import UNKNOWN, Properties, Value, contains_unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.embedded.aws_provider.resource_schema import Object, ResourceSchema, Type

_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
_CREATION = re.compile(r"aws\.(\w+)\.([A-Z]\w*)")
# They say what should be there, or leave out what the provider asks for.
_NO_INPUTS = {
    ("aws:iam/policy:Policy", "policy"),
    ("aws:lambda/function:Function", "runtime"),
}
_CHECKED = 5
"""The fewest examples of a module that there have to be for the test to mean something."""


@pytest.mark.parametrize("module", ["cloudwatch", "dynamodb", "iam", "kms", "lambda_", "s3", "sns", "sqs"])
def test_the_examples_of_the_documentation_are_taken(module: str) -> None:
    examples = list(_examples(module))
    assert len(examples) >= _CHECKED
    refused = {
        (token, failure.property, failure.reason)
        for token, inputs in examples
        for failure in check_inputs(Request(token, "example", inputs, {}, b"seed"), Settings())[1]
        # Some leave out what the types demand.
        if "the required property" not in failure.reason
    }
    assert {(token, path, why) for token, path, why in refused if (token, path) not in _NO_INPUTS} == set()


def _examples(module: str) -> Iterator[tuple[str, Properties]]:
    """Yield the creations of resources that are complete but for what other resources give."""
    for path in sorted((sdk_source.package_folder() / module).glob("*.py")):
        for block in dict.fromkeys(_BLOCK.findall(sdk_text.source(path))):
            try:
                tree = ast.parse(textwrap.dedent(block))
            except SyntaxError:
                continue
            for call in ast.walk(tree):
                found = _creation(call) if isinstance(call, ast.Call) else None
                if found is not None:
                    yield found


def _creation(call: ast.Call) -> tuple[str, Properties] | None:
    named = _CREATION.fullmatch(ast.unparse(call.func))
    if named is None:
        return None
    member = named[2]
    token = f"aws:{named[1].rstrip('_')}/{member[:1].lower()}{member[1:]}:{member}"
    try:
        schema = schema_of(token)
    except sdk_source.UnknownTypeError:
        return None
    given = {word.arg: _value(word.value) for word in call.keywords if word.arg not in {None, "opts"}}
    inputs = _named(cast("Properties", given), schema.inputs, schema)
    missing = any(prop.required and name not in inputs for name, prop in schema.inputs.items())
    return None if missing or not inputs else (token, inputs)


def _value(node: ast.expr) -> Value:
    """Read a literal, or a JSON text made of one; everything else is unknown."""
    if isinstance(node, ast.List):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        keys = [key.value if isinstance(key, ast.Constant) else "?" for key in node.keys]
        return {str(key): _value(item) for key, item in zip(keys, node.values, strict=True)}
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "json.dumps":
        document = _value(node.args[0])
        return UNKNOWN if contains_unknown(document) else json.dumps(document)
    try:
        return cast("Value", ast.literal_eval(node))
    except ValueError:
        return UNKNOWN


def _named(given: Properties, properties: Object, schema: ResourceSchema) -> Properties:
    """Return a program's properties by Pulumi's names: Python's but for underscores and case."""
    known = {name.lower(): name for name in properties}
    found: Properties = {}
    for name, value in given.items():
        camel = known.get(name.replace("_", "").lower())
        if camel is not None:
            found[camel] = _inner(value, properties[camel].type, schema)
    return found


def _inner(value: Value, type_: Type, schema: ResourceSchema) -> Value:
    if isinstance(value, list):
        return [_inner(item, type_.args[0] if type_.base == "list" else type_, schema) for item in value]
    if isinstance(value, dict) and type_.base == "list":
        return _inner(value, type_.args[0], schema)
    if isinstance(value, dict) and type_.base == "object":
        return _named(value, schema.objects[type_.name], schema)
    return value
