"""What a state says that no policy is asked about, and that whoever reads its verdict must know."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from tapgate.json_access import mapping, sequence, text
from tapgate.sources import urn_name, urn_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_MOST: Final = 5
_COMPARED: Final = (bool, int, float, str)


def leftovers(deployment: Mapping[str, object]) -> tuple[str, ...]:
    """Return notes on a deployment: what is half-done, half-gone, or not as it was asked for.

    Args:
        deployment: the state's `deployment`, as the file has it.
    """
    resources = [mapping(one) for one in sequence(deployment.get("resources"))]
    pending = [mapping(one) for one in sequence(deployment.get("pending_operations"))]
    deleted = (one for one in resources if one.get("delete") is True)
    kept = (one for one in resources if one.get("retainOnDelete") is True and one.get("delete") is not True)
    drifted = (f"{_shown(one)}, {', '.join(names)}" for one in resources if (names := list(_drift(one))))
    return (
        *_note("marked for deletion, not evaluated, and possibly there still", map(_shown, deleted)),
        *_note("pending, so that nobody knows whether it is done", map(_operation, pending)),
        *_note("other outputs than inputs: changed outside, or by AWS", drifted),
        *_note("stay in AWS when they leave the program (retainOnDelete)", map(_shown, kept)),
    )


def _note(what: str, whose: Iterable[str]) -> Iterator[str]:
    names = list(whose)
    if names:
        more = f", and {len(names) - _MOST} more" if len(names) > _MOST else ""
        yield f"{what}: {'; '.join(names[:_MOST])}{more}"


def _shown(one: Mapping[str, object]) -> str:
    urn = text(one.get("urn"))
    return f"{urn_name(urn)} ({urn_type(urn)})"


def _operation(one: Mapping[str, object]) -> str:
    return f"{text(one.get('type'))} {_shown(mapping(one.get('resource')))}"


def _drift(one: Mapping[str, object]) -> Iterator[str]:
    """Name the properties of which a plain value was asked for and another one is there."""
    outputs = mapping(one.get("outputs"))
    for name, asked in mapping(one.get("inputs")).items():
        there = outputs.get(name)
        if name.startswith("__") or not isinstance(asked, _COMPARED) or not isinstance(there, _COMPARED):
            continue
        if asked != there and _meant(asked) != _meant(there):
            yield f"`{name}`"


def _meant(value: object) -> object:
    """Return what AWS makes of a value: documents are compared by meaning, numbers and texts as texts."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return cast("object", json.loads(value))
        except (ValueError, RecursionError):
            return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
