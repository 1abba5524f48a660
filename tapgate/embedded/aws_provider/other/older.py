"""Lets a YAML program through that is written for another major version of pulumi_aws than is installed.

What the installed one no longer has is added to its schema, as of any type: the engine then finds the program
well typed, and policies see what it says.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from tapgate.embedded.aws_provider.other.usage import read, short

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tapgate.embedded.aws_provider.other.usage import Used

_Json = dict[str, dict[str, object]]
_ANY: Final = {"$ref": "pulumi.json#/Any"}


def widened(text: str, program: Path) -> str:
    """Return a package schema that has what a program uses besides.

    Args:
        text: The schema.
        program: The YAML program.
    """
    schema, usage = cast("dict[str, dict[str, _Json]]", json.loads(text)), read(program)
    by_short = {short(token): one for token, one in schema["resources"].items()}
    for token, used in usage.resources.items():
        resource = by_short.get(short(token))
        if resource is not None:
            _add(resource, "inputProperties", dict.fromkeys(used.inputs, _ANY))
            read_besides = {str(name): _ANY for name in (*used.inputs, *used.outputs)}
            _add(resource, "properties", read_besides)
    functions = {short(token): one for token, one in schema["functions"].items()}
    for token, used in usage.functions.items():
        function = functions.get(short(token))
        if function is not None:
            _widen_function(function, used)
    return json.dumps(schema, separators=(",", ":"))


def _widen_function(function: _Json, used: Used) -> None:
    inputs, outputs = function.get("inputs"), function.get("outputs")
    if inputs is not None:
        _add(cast("_Json", inputs), "properties", dict.fromkeys(used.inputs, _ANY))
    if outputs is not None and "properties" in outputs:
        _add(cast("_Json", outputs), "properties", {str(name): _ANY for name in used.outputs})


def _add(owner: _Json, name: str, more: Mapping[str, dict[str, str]]) -> None:
    there = owner.setdefault(name, {})
    for one, kind in more.items():
        there.setdefault(one, kind)
