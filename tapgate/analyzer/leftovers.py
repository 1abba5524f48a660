"""What a state says besides its resources: what is half-done, half-gone, or not as it was asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, cast

from tapgate.json_access import SIGNATURE, mapping, sequence, text
from tapgate.sources import urn_name, urn_type

UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine sends for a value of any type that is unknown."""
_MOST: Final = 5
_COMPARED: Final = (bool, int, float, str)
_DEEPEST: Final = 32
_MOST_PAIRS: Final = 10_000


def leftovers(deployment: Mapping[str, object]) -> tuple[str, ...]:
    """Return notes on a deployment: what is half-done, half-gone, or not as it was asked for."""
    resources = [mapping(one) for one in sequence(deployment.get("resources"))]
    operations = map(mapping, sequence(deployment.get("pending_operations")))
    pending = (f"{text(one.get('type'))} {_shown(mapping(one.get('resource')))}" for one in operations)
    deleted = (one for one in resources if one.get("delete") is True)
    kept = (one for one in resources if one.get("retainOnDelete") is True and one.get("delete") is not True)
    drifted = (f"{_shown(one)}, {', '.join(names)}" for one in resources if (names := list(_drift(one))))
    return (
        *_note("marked for deletion, not evaluated, and possibly there still", map(_shown, deleted)),
        *_note("pending, so that no one knows whether it is done", pending),
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


def _drift(one: Mapping[str, object]) -> Iterator[str]:
    """Name the properties of which something was asked for, and something else of that kind is there."""
    inputs, outputs = mapping(one.get("inputs")), mapping(one.get("outputs"))
    paths = (f"`{path}`" for path, asked, there in _both("", inputs, outputs) if not _same(asked, there))
    yield from islice(paths, _MOST)


def _both(
    path: str, asked: Mapping[str, object], there: Mapping[str, object], depth: int = 0
) -> Iterator[tuple[str, object, object]]:
    """Yield what is in both of two objects; what only one of them has a provider leaves out or adds."""
    if SIGNATURE in asked or SIGNATURE in there or depth > _DEEPEST:
        return
    for name, value in asked.items():
        here, other = f"{path}.{name}" if path else name, there.get(name)
        if name.startswith("__") or name not in there or value == other:
            continue
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            yield from _both(here, mapping(cast("object", value)), mapping(cast("object", other)), depth + 1)
        else:
            yield here, value, other


def _same(asked: object, there: object, depth: int = 0) -> bool:
    """Say whether a value is there as it was asked for, as far as the two can be compared.

    Lists are compared as sets: providers sort them. An element that is an object is there if what was asked
    of it is; a provider adds what AWS says besides.
    """
    if isinstance(asked, Mapping) and isinstance(there, Mapping):
        both = _both("", mapping(cast("object", asked)), mapping(cast("object", there)), depth)
        return all(_same(one, other, depth + 1) for _, one, other in both)
    if isinstance(asked, list) and isinstance(there, list):
        wanted, actual = sequence(cast("object", asked)), sequence(cast("object", there))
        if depth > _DEEPEST or len(wanted) * len(actual) > _MOST_PAIRS:
            return True
        # Within an element a provider may add to lists as well.
        return (len(wanted) == len(actual) or depth > 0) and all(
            any(_same(one, other, depth + 1) for other in actual) for one in wanted
        )
    if not isinstance(asked, _COMPARED) or not isinstance(there, _COMPARED) or asked in {"", UNKNOWN}:
        return True
    document, other = _document(asked), _document(there)
    if document is None or other is None:
        return _named(_meant(asked), _meant(there))
    # What is added to a policy lets somebody in or keeps somebody out; to other documents AWS adds defaults.
    is_policy = "Statement" in mapping(document)
    return _ordered(document) == _ordered(other) or (not is_policy and _same(document, other, depth + 1))


def _document(value: object) -> object:
    """Return the object or list that a text is in JSON, else None."""
    if not (isinstance(value, str) and value[:1] in {"{", "["}):
        return None
    try:
        return cast("object", json.loads(value))
    except (ValueError, RecursionError):
        return None


def _named(asked: str, there: str) -> bool:
    """Say whether two texts mean the same: AWS shows ARNs for names, and a provider digests for scripts."""
    if asked == there:
        return True
    short, long = sorted((asked.strip(), there.strip()), key=len)
    digest = hashlib.sha1(asked.encode(errors="replace"), usedforsecurity=False).hexdigest()
    return short == long or long.endswith((f":{short}", f"/{short}")) or there == digest


def _meant(value: object) -> str:
    """Return a value as the text that a provider may make of it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _ordered(document: object) -> object:
    """Return a document without what AWS changes in it: the order of a list, and that one may stand alone."""
    if isinstance(document, list):
        items = [_ordered(item) for item in sequence(cast("object", document))]
        return items[0] if len(items) == 1 else sorted(items, key=repr)
    if isinstance(document, dict):
        fields = mapping(cast("object", document))
        return {key: _ordered(fields[key]) for key in sorted(fields)}
    return document
