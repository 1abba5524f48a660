"""What an operator can set for a policy: declared once, published as a JSON schema, checked on arrival."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal, TypeAlias, cast

from tap_guardrails.model.property_value import to_json
from tap_guardrails.model.values import decode, record

Entry: TypeAlias = tuple[tuple[str, str], ...]
"""The fields of an object of a list, by name; a single nameless one for what is no object."""

SettingValue: TypeAlias = "bool | int | float | str | tuple[str, ...] | tuple[Entry, ...]"


class SettingsError(ValueError):
    """A policy's configuration that does not match what the policy declares."""


@record
class Boolean:
    """A setting that is true or false."""

    name: str
    default: bool
    description: str
    stricter: bool

    def schema(self) -> dict[str, object]:
        """Return its JSON schema."""
        return schema_of(self, "boolean")

    def parse(self, value: object) -> SettingValue:
        """Return the value, or raise `SettingsError`."""
        if isinstance(value, bool):
            return value
        raise SettingsError(f"`{self.name}` must be true or false, not {shown(value)}")

    def is_as_strict(self, value: SettingValue, floor: SettingValue) -> bool:
        """Tell whether a value is at least as strict as another one."""
        return value in {floor, self.stricter}


@record
class Integer:
    """A setting that is a whole number within bounds, both included."""

    name: str
    default: int
    description: str
    minimum: int
    maximum: int
    stricter: Literal["lower", "higher"]

    def schema(self) -> dict[str, object]:
        """Return its JSON schema."""
        return schema_of(self, "integer", minimum=self.minimum, maximum=self.maximum)

    def parse(self, value: object) -> SettingValue:
        """Return the value, or raise `SettingsError`."""
        number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
        if self.minimum <= number <= self.maximum and number == int(number):
            return int(number)
        raise SettingsError(
            f"`{self.name}` must be a whole number from {self.minimum} to {self.maximum}, not {shown(value)}"
        )

    def is_as_strict(self, value: SettingValue, floor: SettingValue) -> bool:
        """Tell whether a value is at least as strict as another one."""
        ours, theirs = cast("int", value), cast("int", floor)
        return ours <= theirs if self.stricter == "lower" else ours >= theirs


@record
class Enum:
    """A setting that is one of a few words.

    Attributes:
        choices: The words, the strictest first.
        ordered: Whether each of them is stricter than the next; if not, none is stricter than another.
    """

    name: str
    default: str
    description: str
    choices: tuple[str, ...]
    ordered: bool = True

    def schema(self) -> dict[str, object]:
        """Return its JSON schema."""
        return schema_of(self, "string", enum=list(self.choices))

    def parse(self, value: object) -> SettingValue:
        """Return the value, or raise `SettingsError`."""
        if isinstance(value, str) and value in self.choices:
            return value
        raise SettingsError(f"`{self.name}` must be one of {', '.join(self.choices)}, not {shown(value)}")

    def is_as_strict(self, value: SettingValue, floor: SettingValue) -> bool:
        """Tell whether a value is at least as strict as another one."""
        ours, theirs = self.choices.index(cast("str", value)), self.choices.index(cast("str", floor))
        return ours <= theirs if self.ordered else ours == theirs


@record
class StringList:
    """A setting that is a list of texts.

    Attributes:
        choices: What may stand in the list; empty when anything may.
        stricter: Whether a list with fewer texts is stricter, as of what is allowed, or one with more.
        empty_is_open: Whether an empty list restricts nothing, so that the first text may be laxer.
    """

    name: str
    default: tuple[str, ...]
    description: str
    choices: tuple[str, ...] = ()
    at_least: int = 0
    stricter: Literal["fewer", "more"] = "fewer"
    empty_is_open: bool = False

    def schema(self) -> dict[str, object]:
        """Return its JSON schema."""
        items = {"type": "string", **({"enum": list(self.choices)} if self.choices else {})}
        return schema_of(self, "array", items=items, minItems=self.at_least)

    def parse(self, value: object) -> SettingValue:
        """Return the value, or raise `SettingsError`."""
        given = shown(value)
        listed = list(cast("Sequence[object]", value)) if isinstance(value, (list, tuple)) else [None]
        texts = tuple(word for word in listed if isinstance(word, str))
        allowed = not self.choices or set(texts) <= set(self.choices)
        if len(texts) == len(listed) >= self.at_least and allowed:
            return texts
        what = f"of {', '.join(self.choices)}" if self.choices else "of texts"
        raise SettingsError(f"`{self.name}` must be a list {what}, not {given}")

    def is_as_strict(self, value: SettingValue, floor: SettingValue) -> bool:
        """Tell whether a value is at least as strict as another one."""
        ours, theirs = set(cast("tuple[str, ...]", value)), set(cast("tuple[str, ...]", floor))
        if self.empty_is_open and not (ours and theirs):
            return ours == theirs
        return ours <= theirs if self.stricter == "fewer" else ours >= theirs


@record
class ObjectList:
    """A setting that is a list of objects of texts. Whoever reads them evaluates what they hold.

    Attributes:
        fields: What each object must have: the JSON schema of each text, by name.
    """

    name: str
    description: str
    fields: Mapping[str, Mapping[str, object]]
    default: tuple[Entry, ...] = ()

    def schema(self) -> dict[str, object]:
        """Return its JSON schema."""
        properties = {name: {"type": "string", **schema} for name, schema in self.fields.items()}
        items = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
        return schema_of(self, "array", items=items)

    def parse(self, value: object) -> SettingValue:
        """Return the objects, with what is no text as JSON; raise `SettingsError` when there is no list."""
        if isinstance(value, (list, tuple)):
            return tuple(entry_of(entry) for entry in cast("Sequence[object]", value))
        raise SettingsError(f"`{self.name}` must be a list, not {shown(value)}")

    def is_as_strict(self, value: SettingValue, floor: SettingValue) -> bool:
        """Tell whether a value is at least as strict as another one: each object allows something."""
        return set(cast("tuple[Entry, ...]", value)) <= set(cast("tuple[Entry, ...]", floor))


Setting: TypeAlias = Boolean | Integer | Enum | StringList | ObjectList

ON_UNKNOWN: Final = Enum(
    "onUnknown",
    "deny",
    "What an undecided check does: `deny` reports it at the policy's own level, `warn` as an advisory.",
    ("deny", "warn"),
)
"""What every policy can be told of unknowns."""

WAIVERS: Final = ObjectList(
    "waivers",
    "Findings that may stand: which, on which resources, why, who answers for it, from and until when.",
    {
        "urn": {
            "minLength": 1,
            "description": "A pattern, `TYPE::NAME` or a whole URN; `*` stands for any characters.",
        },
        "reason": {"minLength": 1, "description": "Why the finding may stand."},
        "owner": {"minLength": 1, "description": "Who answers for it."},
        "finding": {
            "minLength": 1,
            "description": "Which finding: its property, `property = value`, or its first sentence.",
        },
        "granted": {
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
            "description": "The day on which it was granted, as YYYY-MM-DD.",
        },
        "expires": {
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
            "description": "The last day on which it holds, as YYYY-MM-DD.",
        },
    },
)
"""What every policy can be told to let stand."""


def schema_of(setting: Setting, json_type: str, **more: object) -> dict[str, object]:
    """Return the JSON schema of a setting."""
    default = list(setting.default) if isinstance(setting.default, tuple) else setting.default
    return {"type": json_type, "default": default, "description": setting.description, **more}


def nearest_first(name: str, names: Collection[str]) -> list[str]:
    """Return the names there are: first the one that a name may be a misspelling of, the others in order."""
    import difflib  # noqa: PLC0415 - for who misspelt one

    near = difflib.get_close_matches(name, sorted(names), n=1)
    return [*near, *sorted(set(names).difference(near))]


class Settings:
    """The settings of one policy, complete and checked."""

    def __init__(self, declared: Sequence[Setting], given: Mapping[str, object] | None = None) -> None:
        """Check what was given against what is declared, and fill in the defaults.

        Raises:
            SettingsError: A name that is not declared, or a value that does not fit.
        """
        given = given or {}
        known = {setting.name: setting for setting in declared}
        for name in given:
            if name not in known:
                names = ", ".join(nearest_first(name, {*known, "enforcementLevel"}))
                raise SettingsError(f"there is no setting `{name}`; there are {names}")
        self._values: dict[str, SettingValue] = {
            name: setting.parse(given[name]) if given.get(name) is not None else setting.default
            for name, setting in known.items()
        }

    def __getitem__(self, name: str) -> SettingValue:
        """Return a setting's value."""
        return self._values[name]

    def boolean(self, name: str) -> bool:
        """Return a `Boolean`."""
        return self._values[name] is True

    def integer(self, name: str) -> int:
        """Return an `Integer`."""
        return cast("int", self._values[name])

    def enum(self, name: str) -> str:
        """Return an `Enum`."""
        return cast("str", self._values[name])

    def strings(self, name: str) -> tuple[str, ...]:
        """Return a `StringList`."""
        return cast("tuple[str, ...]", self._values[name])

    def objects(self, name: str) -> tuple[Entry, ...]:
        """Return an `ObjectList`."""
        return cast("tuple[Entry, ...]", self._values[name])

    def key(self) -> tuple[tuple[str, SettingValue], ...]:
        """Return something hashable that tells these settings from others."""
        return tuple(sorted(self._values.items()))


def entry_of(given: object) -> Entry:
    """Keep an object's fields as texts."""
    fields = cast("Mapping[str, object]", given) if isinstance(given, Mapping) else {"": given}
    return tuple((name, value if isinstance(value, str) else shown(value)) for name, value in fields.items())


def shown(value: object) -> str:
    """Show a value in a message, in one line."""
    return json.dumps(to_json(decode(value)), ensure_ascii=False)
