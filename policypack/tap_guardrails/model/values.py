"""The values of a resource's properties, as rules see them.

Pulumi sends property trees as JSON-like structures in which a few marks carry what JSON cannot say: a
value that is not known before deployment, a secret, an asset. Decoding turns the marks into types, so
that no rule ever mistakes a mark for a value.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias, cast

from tap_guardrails.model.record import record


class UnknownType(enum.Enum):
    """The type of `UNKNOWN`: an enumeration, so that a type checker can narrow by identity."""

    UNKNOWN = "unknown until deployment"


UNKNOWN: Final = UnknownType.UNKNOWN
"""A value that exists only after deployment."""


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


Value: TypeAlias = (
    "bool | float | str | list[Value] | dict[str, Value] | UnknownType | Secret | Opaque | None"
)

UNKNOWN_MARKS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
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
"""What stands for a secret's value where nobody has opened it: exported states, reports."""

OPAQUE_SIGNATURES: Final = {
    "c44067f5952c0a294b673a41bacd8c17": "asset",
    "0def7320c3a5731c473e5ecbe6d01bc7": "archive",
    "803fd3297a5875dc03ca845dda5d2a98": "string of bytes",
}

MAXIMUM_DEPTH: Final = 64
"""Levels of nesting that are decoded; AWS documents stay below 20, and Python's stack has an end."""


def decode(tree: object, depth: int = 0) -> Value:
    """Decode a tree of plain Python values (JSON's types) with the protocol's marks.

    Args:
        tree: What `json.loads` gives, or the decoded properties of a resource.
        depth: Levels above `tree`.

    Returns:
        The tree with unknowns, secrets and opaque values as types of their own. Anything that is not of
        JSON's types becomes `Opaque`.
    """
    if isinstance(tree, str):
        return UNKNOWN if tree in UNKNOWN_MARKS else tree
    if tree is None or isinstance(tree, (bool, float)):
        return tree
    if isinstance(tree, int):
        return whole_number(tree)
    return decode_container(tree, depth)


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


def whole_number(number: int) -> Value:
    """Return the number as the wire carries it, a double; one that no double can hold is opaque."""
    try:
        return float(number)
    except OverflowError:
        return Opaque("number beyond every limit")


def has_unknown(value: Value) -> bool:
    """Tell whether a value, or anything in it, is unknown."""
    match value:
        case Secret(inner):
            return has_unknown(inner)
        case list():
            return any(has_unknown(item) for item in value)
        case dict():
            return any(has_unknown(item) for item in value.values())
        case _:
            return value is UNKNOWN


def signed(fields: Mapping[str, object], decode_field: Callable[[object], Value]) -> Value:
    """Decode an object that carries a signature.

    Args:
        fields: The object's fields, not yet decoded.
        decode_field: Decodes one of them.
    """
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
    return Opaque(OPAQUE_SIGNATURES.get(str(signature), "value of a kind that this pack does not know"))
