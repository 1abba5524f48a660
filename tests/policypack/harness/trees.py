"""Property trees in YAML: `!unknown` and `!secret` say what JSON cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import yaml
from google.protobuf.struct_pb2 import Struct

from tap_guardrails.model.values import SECRET_SIGNATURE, SIGNATURE_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

UNKNOWN_MARK = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class CaseLoader(yaml.SafeLoader):
    """Reads cases: YAML with the two tags, which become the protocol's marks."""


def unknown_mark(_loader: yaml.SafeLoader, _node: yaml.Node) -> str:
    return UNKNOWN_MARK


def secret_mark(loader: CaseLoader, node: yaml.Node) -> dict[str, object]:
    match node:
        case yaml.MappingNode():
            value: object = loader.construct_mapping(node, deep=True)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            text = cast("str", node.value)
            quoted = isinstance(node, yaml.ScalarNode) and node.style is not None
            value = text if quoted else cast("object", yaml.safe_load(text))
    return secret(value)


CaseLoader.add_constructor("!unknown", unknown_mark)
CaseLoader.add_constructor("!secret", secret_mark)


def secret(value: object) -> dict[str, object]:
    """Mark a value as a secret, as the engine does on the wire."""
    return {SIGNATURE_KEY: SECRET_SIGNATURE, "value": value}


def load(path: Path) -> list[dict[str, Any]]:
    """Read a file of cases."""
    return cast("list[dict[str, Any]]", yaml.load(path.read_text(), CaseLoader))  # noqa: S506 - a SafeLoader


def struct(tree: Mapping[str, object]) -> Struct:
    """Put a tree of JSON's types on the wire."""
    message = Struct()
    message.update(cast("dict[str, Any]", tree))
    return message
