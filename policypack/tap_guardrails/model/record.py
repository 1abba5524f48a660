"""A dataclass frozen for the type checker only, at no run-time cost.

`dataclass(frozen=True)` checks at run time what the strict type check of this code has shown already. That
would double what each value costs to make, of which a stack takes hundreds of thousands, and take a tenth of
the pack's start.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar, cast, dataclass_transform, overload

if TYPE_CHECKING:
    from collections.abc import Callable

C = TypeVar("C")


@overload
def record(cls: type[C], /) -> type[C]: ...
@overload
def record(*, eq: bool = True, kw_only: bool = False) -> Callable[[type[C]], type[C]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(
    cls: type[C] | None = None, /, *, eq: bool = True, kw_only: bool = False
) -> type[C] | Callable[[type[C]], type[C]]:
    """Make a class of values that nobody changes.

    Args:
        cls: The class.
        eq: Whether two of them are equal that have equal fields; if not, each is only equal to itself.
        kw_only: Whether the fields are given by name only.
    """

    def make(made: type[C]) -> type[C]:
        made = dataclass(slots=True, repr=False, eq=eq, unsafe_hash=eq, kw_only=kw_only)(made)
        setattr(made, "__repr__", shown)  # noqa: B010 - no method of its own
        return made

    return make(cls) if cls is not None else make


def shown(one: object) -> str:
    """Return a record as it is written; one function for all of them is made faster than one for each."""
    values = ", ".join(f"{field.name}={getattr(one, field.name)!r}" for field in fields(cast("Any", one)))
    return f"{type(one).__qualname__}({values})"
