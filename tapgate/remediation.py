"""What a remediation changed in a resource's inputs, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from tapgate.document import SIGNATURE, mapping, sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST: Final = 60
_NOTHING: Final = object()


@dataclass(frozen=True, slots=True)
class Remediation:
    """A change that a policy made before the resource was judged.

    Attributes:
        pack: name of the policy's pack.
        policy: name of the policy.
        urn: the resource's URN.
        changes: each changed property with its new and its old value.
    """

    pack: str
    policy: str
    urn: str
    changes: tuple[str, ...]


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    """Return what differs between two property trees; a secret is only said to be one."""
    found = tuple(_changes("", before, after))
    return found or ("something that is not shown",)


def _changes(path: str, before: object, after: object) -> Iterator[str]:
    if before == after:
        return
    listed = all(isinstance(one, list) for one in (after, before))
    if isinstance(after, Mapping):
        yield from _within(path, mapping(before), mapping(cast("object", after)))
    elif listed:
        items, earlier = sequence(after), sequence(before)
        for index, item in enumerate(items):
            was = earlier[index] if index < len(earlier) else _NOTHING
            yield from _changes(f"{path}[{index}]", was, item)
    else:
        yield f"{path} is now {_shown(after)} (was {_shown(before)})"


def _within(path: str, before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    if SIGNATURE in after:
        yield f"{path} is now a secret value"
        return
    for name in (*after, *(name for name in before if name not in after)):
        inner = f"{path}.{name}" if path else name
        yield from _changes(inner, before.get(name, _NOTHING), after.get(name, _NOTHING))


def _shown(value: object) -> str:
    if value is _NOTHING or value is None:
        return "not set"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
