"""Tags of deployed resources, and among them the mark of who made a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tapgate.embedded.aws_provider.operations import inside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.embedded.aws_provider.operations import Answer, Tagging
    from tapgate.embedded.aws_provider.values import Properties, Value

MARKER = "stand-in:urn"
"""The tag by which a run finds what an interrupted one has left behind; it shows in no output."""


def to_api(tagging: Tagging, tags: Mapping[str, str]) -> object:
    """Make AWS's form of tags: a map, or a list of pairs."""
    if not tagging.key:
        return dict(tags)
    pairs = [{tagging.key: key, tagging.value: value} for key, value in tags.items()]
    return {tagging.wrapped: pairs} if tagging.wrapped else pairs


def from_api(tagging: Tagging, answer: Answer) -> dict[str, str]:
    """Read tags out of an answer, the marker among them."""
    found = inside(answer, tagging.path.split("."))
    if isinstance(found, list):
        pairs = cast("list[Mapping[str, str]]", found)
        return {pair[tagging.key]: pair.get(tagging.value, "") for pair in pairs}
    return dict(cast("Mapping[str, str]", found)) if found else {}


def texts(tags: Value) -> dict[str, str]:
    """Take a `tags` property as texts."""
    return {key: str(value) for key, value in tags.items()} if isinstance(tags, dict) else {}


def split(tags: Mapping[str, str], wanted: Mapping[str, Value], defaults: Mapping[str, str]) -> Properties:
    """Split tags as found into `tags` and `tagsAll`, as pulumi-aws does.

    Args:
        tags: What AWS has.
        wanted: What the program wants, or the last known outputs.
        defaults: The provider's default tags: they are in `tags` only where the program says them too.
    """
    visible = {key: value for key, value in tags.items() if key != MARKER}
    own = texts(wanted.get("tags"))
    mine: Properties = {
        key: value for key, value in visible.items() if key in own or defaults.get(key) != value
    }
    return {"tags": mine or None, "tagsAll": {**visible}}
