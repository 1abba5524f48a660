"""Between Pulumi's casing of nested properties and AWS's: `maximumConcurrency` and `MaximumConcurrency`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tapgate.embedded.aws_provider.values import Value


def pascal(**renamed: str) -> Callable[[Value], object]:
    """Make AWS's form: every key begins with a capital.

    Args:
        renamed: AWS's keys where that is not all, by Pulumi's.
    """

    def convert(value: Value) -> object:
        if isinstance(value, list):
            return [convert(item) for item in value]
        if isinstance(value, dict):
            return {
                renamed.get(key, key[:1].upper() + key[1:]): convert(item)
                for key, item in value.items()
                if not key.startswith("__")
            }
        return value

    return convert


def camel(**renamed: str) -> Callable[[object], Value]:
    """Make Pulumi's form again.

    Args:
        renamed: AWS's keys where they differ by more than the first letter, by Pulumi's; as for `pascal`.
    """
    back = {theirs: ours for ours, theirs in renamed.items()}

    def convert(value: object) -> Value:
        if isinstance(value, list):
            return [convert(item) for item in cast("list[object]", value)]
        if isinstance(value, dict):
            entries = cast("Mapping[str, object]", value)
            return {back.get(key, key[:1].lower() + key[1:]): convert(item) for key, item in entries.items()}
        return cast("Value", value)

    return convert


def text(value: Value) -> str:
    """Write a value as the text that attribute maps hold: `true`, `30`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def whole(value: object) -> Value:
    """Read a whole number from an attribute map."""
    return int(str(value))


def truth(value: object) -> Value:
    """Read a boolean from an attribute map."""
    return str(value).lower() == "true"
