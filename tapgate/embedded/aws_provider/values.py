"""Property values as the provider works with them: plain Python, with one mark for what is not known yet."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping


class Unknown(enum.Enum):
    """The one value of everything that is known only after deployment."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True, slots=True)
class Blob:
    """An asset (one file) or an archive (a tree of files).

    Attributes:
        kind: Which of the two.
        hash: The SHA-256 that the engine gives to its content, hexadecimal; empty when it gave none.
        text: An asset's content; None when it has none.
        path: Path of the file or folder; empty when it has none.
        uri: Where it can be had; empty when it has none.
        assets: An archive's members, when it is not a file or folder itself.
    """

    kind: Literal["asset", "archive"]
    hash: str = ""
    text: str | None = None
    path: str = ""
    uri: str = ""
    assets: Mapping[str, Blob] = field(default_factory=dict[str, "Blob"])


Value: TypeAlias = "bool | int | float | str | Unknown | Blob | list[Value] | dict[str, Value] | None"
Properties: TypeAlias = "dict[str, Value]"


def contains_unknown(value: Value) -> bool:
    """Return whether a value is unknown or has something unknown anywhere inside."""
    if value is UNKNOWN:
        return True
    if isinstance(value, list):
        return any(contains_unknown(item) for item in value)
    if isinstance(value, dict):
        return any(contains_unknown(item) for item in value.values())
    return False
