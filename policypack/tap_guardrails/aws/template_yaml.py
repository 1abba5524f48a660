"""Templates in YAML, with CloudFormation's tags for its functions; imported only when there is one.

Of YAML 1.1 CloudFormation takes neither aliases nor merges, and no timestamps:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, cast

import yaml

from tap_guardrails.model.values import MAXIMUM_DEPTH

TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"
BARE_NAMES: Final = frozenset({"Ref", "Condition"})
"""The tags whose long form has no `Fn::` before it."""


class TemplateLoader(yaml.SafeLoader):
    """Reads a template; an alias, or a key that stands twice, is an error."""

    levels = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node that is no alias: aliases of aliases take a machine's memory.

        Raises:
            YAMLError: It is one, or is nested deeper than any template.
        """
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("CloudFormation takes no aliases")
        if self.levels > MAXIMUM_DEPTH:
            raise yaml.YAMLError("nested too deep")
        self.levels += 1
        composed = super().compose_node(parent, index)
        self.levels -= 1
        return composed

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's
        """Make an object, each of whose keys stands once.

        Raises:
            YAMLError: A key stands twice.
        """
        fields = super().construct_mapping(node, deep=deep)
        if len(fields) != len(node.value):
            raise yaml.YAMLError("a key stands twice")
        return fields


TemplateLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def function(loader: TemplateLoader, suffix: str, argument: yaml.Node) -> dict[str, object]:
    """Make the long form of a function's tag: `!GetAtt a.b` is `{Fn::GetAtt: a.b}`."""
    match argument:
        case yaml.MappingNode():
            value: object = loader.construct_mapping(argument, deep=True)
        case yaml.SequenceNode():
            value = loader.construct_sequence(argument, deep=True)
        case _:
            value = loader.construct_scalar(cast("yaml.ScalarNode", argument))
    return {suffix if suffix in BARE_NAMES else f"Fn::{suffix}": value}


TemplateLoader.add_multi_constructor("!", function)  # pyright: ignore[reportUnknownMemberType]  # PyYAML's stubs


@lru_cache(maxsize=32)
def read_yaml(text: str) -> object:
    """Read a template: None for what is no YAML, or has what CloudFormation does not take.

    Each of the pack's looks at a template gets the same document, which stays as it is.
    """
    try:
        return yaml.load(text, TemplateLoader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, TypeError, AttributeError):
        return None
