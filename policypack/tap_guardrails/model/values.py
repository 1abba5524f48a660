"""The values of a resource's properties, as rules see them.

Pulumi sends property trees as JSON-like structures in which a few marks carry what JSON cannot say: a
value that is not known before deployment, a secret, an asset. Decoding turns the marks into types, so
that no rule ever mistakes a mark for a value.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Final, TypeAlias, TypeVar, cast, dataclass_transform, overload

C = TypeVar("C")


@overload
def record(cls: type[C], /) -> type[C]: ...
@overload
def record(*, eq: bool = True, kw_only: bool = False) -> Callable[[type[C]], type[C]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(
    cls: type[C] | None = None, /, *, eq: bool = True, kw_only: bool = False
) -> type[C] | Callable[[type[C]], type[C]]:
    """Make a dataclass frozen for the type checker only, at no run-time cost.

    `dataclass(frozen=True)` checks at run time what the strict type check has shown already. That would
    double what each value costs to make, of which a stack takes hundreds of thousands.

    Args:
        cls: The class.
        eq: Whether two of them are equal that have equal fields; if not, each is only equal to itself.
        kw_only: Whether the fields are given by name only.
    """

    def make(made: type[C]) -> type[C]:
        made = dataclass(slots=True, repr=False, eq=False, kw_only=kw_only)(made)
        setattr(made, "__repr__", shown)  # noqa: B010 - no method of its own
        if eq:
            compare_by_fields(made)
        return made

    return make(cls) if cls is not None else make


def shown(one: object) -> str:
    """Return a record as it is written; one function for all of them is made faster than one for each."""
    values = ", ".join(f"{field.name}={getattr(one, field.name)!r}" for field in fields(cast("Any", one)))
    return f"{type(one).__qualname__}({values})"


def compare_by_fields(made: type[object]) -> None:
    """Have two of a class be equal whose compared fields are; made in less time than `dataclass` takes."""
    names = [one.name for one in fields(cast("Any", made)) if one.compare]
    compared = attrgetter(*(names or ["__class__"]))

    def equal(one: object, other: object) -> bool:
        return compared(one) == compared(other) if type(other) is type(one) else NotImplemented

    def hashed(one: object) -> int:
        return hash(compared(one))

    setattr(made, "__eq__", equal)  # noqa: B010 - no methods of its own
    setattr(made, "__hash__", hashed)  # noqa: B010


class UnknownType(enum.Enum):
    """The type of `UNKNOWN`: an enumeration, so that a type checker can narrow by identity."""

    UNKNOWN = "unknown until deployment"


UNKNOWN: Final = UnknownType.UNKNOWN
"""A value that exists only after deployment."""


def any_of(answers: Iterable[bool | None]) -> bool | None:
    """Return whether one of some answers is yes; None while that is undecided."""
    given = set(answers)
    return True if True in given else None if None in given else False


def all_of(answers: Iterable[bool | None]) -> bool | None:
    """Return whether none of some answers is no; None while that is undecided."""
    given = set(answers)
    return False if False in given else None if None in given else True


@record
class Secret:
    """A value that rules may read and that no message may show.

    Attributes:
        value: The value.
        marked: Whether the program marked it as secret; if not, that is unknown, and it is hidden for safety.
    """

    value: Value
    marked: bool = True


class CloudFormationObject(dict[str, "Value"]):
    """An object in CloudFormation's casing, whose fields can also be asked for by aws-native's names.

    `KMSMasterKeyID` answers to `kmsMasterKeyId`; names that begin with a capital are looked up as they are.
    """

    def get(self, key: str, default: Value = None) -> Value:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return a field by either of its names."""
        return super().get(self.cased(key), default)

    def cased(self, name: str) -> str:
        """Return the name of a field in CloudFormation's casing, whether it is set or not."""
        if name in self or not name[:1].islower():
            return name
        folded = name.casefold()
        return next((key for key in self if key.casefold() == folded), name[:1].upper() + name[1:])


@record
class Opaque:
    """A value that no rule looks into: an asset, an archive, raw bytes, a tree nested too deep."""

    what: str


@record
class Partial:
    """A text of which some is known; what is not stands in it as `UNKNOWN_TEXT`, or as `NAME_TEXT`.

    It counts as unknown, but for a rule that asks what is in the part that is known.
    """

    text: str

    @property
    def no_wildcard(self) -> bool:
        """Whether all that is unknown of it are names, ARNs and ids that AWS gives, and so no wildcards."""
        return UNKNOWN_TEXT not in self.text.replace(NAME_TEXT, "")


Value: TypeAlias = (
    "bool | float | str | list[Value] | dict[str, Value] | UnknownType | Partial | Secret | Opaque | None"
)

UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands on the wire for an unknown text, and for what is unknown of a text."""

NAME_TEXT: Final = f"{UNKNOWN_TEXT}-of-a-name"
"""What stands for a name that AWS will give."""

UNKNOWN_MARKS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        UNKNOWN_TEXT,
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""What stands on the wire for an unknown boolean, number, string, array, asset, archive and object."""

SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
"""The key that makes an object something else than an object; its value says what."""

SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a published mark of the protocol
OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
REFERENCE_SIGNATURE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
CLOSED_SECRET: Final = "[secret]"  # noqa: S105 - what stands for one
"""What stands for a secret's value where no one has opened it: exported states, reports."""

OPAQUE_SIGNATURES: Final = {
    "c44067f5952c0a294b673a41bacd8c17": "asset",
    "0def7320c3a5731c473e5ecbe6d01bc7": "archive",
    "803fd3297a5875dc03ca845dda5d2a98": "string of bytes",
}

MAXIMUM_DEPTH: Final = 64
"""Levels of nesting that are decoded; AWS documents stay below 20, and Python's stack has an end."""


def decode(tree: object, depth: int = 0) -> Value:
    """Decode a tree of Python values of JSON's types with the protocol's marks.

    Returns:
        The tree with unknowns, secrets and opaque values as types of their own. Anything that is not of
        JSON's types becomes `Opaque`.
    """
    if isinstance(tree, str):
        return decode_text(tree)
    if tree is None or isinstance(tree, (bool, float)):
        return tree
    if isinstance(tree, int):
        try:
            return float(tree)  # as the wire carries it, a double
        except OverflowError:
            return Opaque("number beyond every limit")
    return decode_container(tree, depth)


def decode_text(text: str) -> Value:
    """Decode a text; what is unknown of a JSON document is told when that is parsed."""
    if text in UNKNOWN_MARKS:
        return UNKNOWN
    return Partial(text) if UNKNOWN_TEXT in text and text.lstrip()[:1] not in {"{", "["} else text


def decode_container(tree: object, depth: int) -> Value:
    """Decode an object or a list."""
    if depth >= MAXIMUM_DEPTH:
        return Opaque("value nested too deep")
    if isinstance(tree, Mapping):
        fields = cast("Mapping[object, object]", tree)
        named = {str(key): value for key, value in fields.items()}
        if SIGNATURE_KEY in named:
            return signed(named, lambda value: decode(value, depth + 1))
        return {key: decode(value, depth + 1) for key, value in named.items()}
    if isinstance(tree, Sequence) and not isinstance(tree, (bytes, bytearray)):
        return [decode(item, depth + 1) for item in cast("Sequence[object]", tree)]
    return Opaque(type(tree).__name__)


def leaves(value: Value) -> Iterator[Value]:
    """Go through what a value holds that is neither an object nor a list, secrets opened."""
    match value:
        case Secret(inner):
            yield from leaves(inner)
        case list():
            for item in value:
                yield from leaves(item)
        case dict():
            for item in value.values():
                yield from leaves(item)
        case _:
            yield value


def has_unknown(value: Value, *, or_opaque: bool = False) -> bool:
    """Tell whether a value, or anything in it, is unknown, or cannot be looked into."""
    if isinstance(value, (str, float)):
        return False  # as most values are
    types = (UnknownType, Partial, Opaque) if or_opaque else (UnknownType, Partial)
    return any(isinstance(leaf, types) for leaf in leaves(value))


def signed(fields: Mapping[str, object], decode_field: Callable[[object], Value]) -> Value:
    """Decode an object that carries a signature."""
    signature = decode_field(fields[SIGNATURE_KEY])
    if signature == SECRET_SIGNATURE:
        value = decode_field(fields["value"]) if "value" in fields else UNKNOWN
        return Secret(UNKNOWN if value == CLOSED_SECRET else value)
    if signature == OUTPUT_SIGNATURE:
        value = decode_field(fields["value"]) if "value" in fields else UNKNOWN
        secret = "secret" in fields and decode_field(fields["secret"]) is True
        return Secret(value) if secret else value
    if signature == REFERENCE_SIGNATURE:
        identity = decode_field(fields["id"]) if "id" in fields else UNKNOWN
        return identity if isinstance(identity, str) and identity else UNKNOWN
    return Opaque(OPAQUE_SIGNATURES.get(str(signature), "value of a type that this pack does not know"))


class LazyMapping(Mapping[str, C]):
    """The fields of something else as other values, each made once and only if it is read."""

    __slots__ = ("_fields", "_made", "_make")

    def __init__(self, fields: Mapping[str, object], make: Callable[[str], C]) -> None:
        self._fields = fields
        self._make = make
        self._made: dict[str, C] = {}

    def __getitem__(self, name: str) -> C:
        if name not in self._made:
            if name not in self._fields:
                raise KeyError(name)
            self._made[name] = self._make(name)
        return self._made[name]

    def get(self, key: str, default: Any = None, /) -> Any:  # noqa: ANN401 - `Mapping` says which
        """Return a field; most of those that rules ask for are not there, and that must cost little."""
        return self[key] if key in self._fields else default

    def __contains__(self, key: object) -> bool:
        return key in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class Overlay(LazyMapping[Value]):
    """Outputs, with inputs where an output is unknown; a property that no one asked for is then not set."""

    __slots__ = ("_inputs",)

    def __init__(self, outputs: Mapping[str, Value], inputs: Mapping[str, Value]) -> None:
        def made(name: str) -> Value:
            output = outputs[name]
            # Inputs are decoded only where they can tell more.
            return overlaid(output, inputs.get(name)) if has_unknown(output) else output

        super().__init__(outputs, made)
        self._inputs = inputs

    def is_asked(self, name: str) -> bool:
        """Tell whether the program asked for a property; else the provider or AWS made its value."""
        return self._inputs.get(name) is not None


def overlaid(output: Value, asked: Value) -> Value:
    """Put the input where the output is unknown.

    Lists are left alone: providers sort them, so that positions in the one say nothing of the other.
    """
    if output is UNKNOWN:
        return asked
    if isinstance(output, Secret):
        merged = overlaid(output.value, asked)
        return merged if merged is None or isinstance(merged, Secret) else Secret(merged, output.marked)
    if isinstance(output, dict):
        inner = asked.value if isinstance(asked, Secret) else asked
        if inner is UNKNOWN:
            return output
        fields = inner if isinstance(inner, dict) else {}
        return {name: overlaid(value, fields.get(name)) for name, value in output.items()}
    return output
