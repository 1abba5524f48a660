"""Checks the provider's own configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider.checking import Failure, check
from tapgate.embedded.aws_provider.sdk_source import read_provider
from tapgate.embedded.aws_provider.settings import unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.embedded.aws_provider.resource_schema import Object, ResourceSchema, Type
    from tapgate.embedded.aws_provider.values import Properties, Value


def check_config(inputs: Mapping[str, Value]) -> list[Failure]:
    """Check configuration: `aws:` keys of the stack, or the arguments of an `aws.Provider`.

    Returns:
        Why it is refused; an empty list when it is not.
    """
    _, failures = check(read_provider(), plain_config(inputs))
    return failures


def plain_config(inputs: Mapping[str, Value]) -> Properties:
    """Undo how configuration comes: lists and objects as JSON texts, and names as Python programs write them.

    The Python SDK makes JSON of a dictionary as it stands, `{"role_arn": …}`, and the bridge under pulumi-aws
    takes that for `roleArn`.
    """
    schema = read_provider()
    return _renamed(unpack(inputs), schema.inputs, schema)


def _renamed(values: Mapping[str, Value], properties: Object, schema: ResourceSchema) -> Properties:
    renamed: Properties = {}
    for name, value in values.items():
        known = name if name in properties else re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)
        prop = properties.get(known)
        if prop is None:
            renamed[name] = value
        else:
            renamed[known] = _inside(value, prop.type, schema)
    return renamed


def _inside(value: Value, kind: Type, schema: ResourceSchema) -> Value:
    if kind.kind == "list" and isinstance(value, list):
        return [_inside(item, kind.args[0], schema) for item in value]
    if kind.kind == "object" and isinstance(value, dict):
        return _renamed(value, schema.properties_of(kind), schema)
    return value
