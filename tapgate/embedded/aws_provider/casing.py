"""Between Pulumi's casing and AWS's: nested properties, and the texts that SQS and SNS hold properties as."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from tapgate.embedded.aws_provider.operations import Answer, Computed, Reader, Subject, alike

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tapgate.embedded.aws_provider.values import Properties, Value


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


FromText: TypeAlias = "Callable[[object], Value]"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One property that is held as a text.

    Attributes:
        property: The property, in Pulumi's casing.
        named: The attribute's name, where that is not the property's with a capital.
        read: Makes the property's value of the text; the text itself where it is None.
        cleared: The text that takes the property away.
    """

    property: str
    named: str = ""
    read: FromText | None = None
    cleared: str = ""

    @builtins.property
    def name(self) -> str:
        """Return the attribute's name."""
        return self.named or alike(self.property)[self.property]


def reader(attribute: Attribute) -> Reader:
    """Read a property from `Attributes` in an answer; an empty text is none."""

    def read(answer: Answer, _subject: Subject) -> Value:
        value = cast("dict[str, str]", answer.get("Attributes") or {}).get(attribute.name)
        if value is None or value == "":
            return None
        return value if attribute.read is None else attribute.read(value)

    return read


def all_given(*attributes: Attribute) -> Computed:
    """Return the map of those that the program wants; None when it wants none."""

    def make(wanted: Properties) -> object:
        given = {
            item.name: text(wanted[item.property])
            for item in attributes
            if wanted.get(item.property) is not None
        }
        return given or None

    return Computed(tuple(item.property for item in attributes), make)


def one(attribute: Attribute) -> Computed:
    """Return one as a map, cleared when the program does not want it."""

    def make(wanted: Properties) -> object:
        value = wanted.get(attribute.property)
        return {attribute.name: attribute.cleared if value is None else text(value)}

    return Computed((attribute.property,), make)


def one_text(attribute: Attribute) -> Computed:
    """Return one's text, cleared when the program does not want it."""

    def make(wanted: Properties) -> object:
        value = wanted.get(attribute.property)
        return attribute.cleared if value is None else text(value)

    return Computed((attribute.property,), make)
