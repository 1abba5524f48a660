"""Property trees in YAML: `!unknown` and `!secret` say what JSON cannot, `!waiver` what the day decides."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import yaml
from google.protobuf.struct_pb2 import Struct

from tap_guardrails.model.values import SECRET_SIGNATURE, SIGNATURE_KEY
from tests.policypack.harness.clock import day

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DAYS = re.compile(r"-?\d+")
UNKNOWN_MARK = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class CaseLoader(yaml.CSafeLoader):
    """Reads cases: YAML with the two tags, which become the protocol's marks."""


def unknown_mark(_loader: CaseLoader, _node: yaml.Node) -> str:
    return UNKNOWN_MARK


def secret_mark(loader: CaseLoader, node: yaml.Node) -> dict[str, object]:
    match node:
        case yaml.MappingNode():
            value: object = loader.construct_mapping(node, deep=True)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            text = cast("str", node.value)
            quoted = isinstance(node, yaml.ScalarNode) and bool(node.style)
            value = text if quoted else cast("object", yaml.safe_load(text))
    return secret(value)


CaseLoader.add_constructor("!unknown", unknown_mark)
CaseLoader.add_constructor("!secret", secret_mark)


def secret(value: object) -> dict[str, object]:
    """Mark a value as a secret, as the engine does on the wire."""
    return {SIGNATURE_KEY: SECRET_SIGNATURE, "value": value}


def waiver_mark(_loader: CaseLoader, node: yaml.Node) -> str:
    """`!waiver 30`, or the words of one with days from now: `expires=+30 …`; granted ten days ago."""
    words = str(node.value)
    if DAYS.fullmatch(words):
        words = f"expires={int(words):+} owner=team@example.com reason=Weighed and found bearable."
    if "expires=" in words and "granted=" not in words:
        words += " finding=enableKeyRotation granted=-10"
    return re.sub(r"(expires|granted)=([+-]\d+)", lambda found: f"{found[1]}={day(int(found[2]))}", words)


CaseLoader.add_constructor("!waiver", waiver_mark)


def load(path: Path) -> list[dict[str, Any]]:
    """Read a file of cases, which is the reader's own."""
    return deepcopy(_parsed(path))


@cache
def _parsed(path: Path) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", yaml.load(path.read_text(), CaseLoader))  # noqa: S506 - a SafeLoader


def struct(tree: Mapping[str, object]) -> Struct:
    """Put a tree of JSON's types on the wire."""
    message = Struct()
    message.update(cast("dict[str, Any]", tree))
    return message
