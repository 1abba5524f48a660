"""The state of a rehearsal as policies are to see it: what stands in for something unknown is unknown.

The stand-in provider marks such values (`tapgate/embedded/aws_provider/rehearsal/marks.py` says how). Here
the marks become what the engine itself sends for an unknown value, so that packs need not know of them.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from tapgate.analyzer.deployment import SECRET, UNKNOWN
from tapgate.document import SIGNATURE, mapping, sequence, text, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.analyzer.deployment import Deployment, Resource

MARK: Final = "tapunknown"
MARKED_NUMBER: Final = 1_618_033_988
REHEARSED: Final = "__rehearsed"
_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


def without_marks(deployment: Deployment) -> Deployment:
    """Return a state in which every marked value is unknown.

    True and false cannot be marked: a resource lists its own that nobody knows, and what another resource
    takes from them is found by the dependencies of its properties.
    """
    vague = {one.urn for one in deployment.resources if _has_vague_choice(one)}
    return replace(deployment, resources=tuple(_without_marks(one, vague) for one in deployment.resources))


def _without_marks(one: Resource, vague: set[str]) -> Resource:
    taken = {
        name
        for name, urns in mapping(one.body.get("propertyDependencies")).items()
        if not vague.isdisjoint(texts(urns))
    }
    outputs = dict(mapping(_known(one.outputs)))
    for path in texts(one.outputs.get(REHEARSED)):
        _forget(outputs, path)
    outputs.pop(REHEARSED, None)
    body = {
        **one.body,
        "inputs": _without_choices(mapping(_known(one.inputs)), taken),
        "outputs": _without_choices(outputs, taken),
    }
    return replace(one, body=body)


def _has_vague_choice(one: Resource) -> bool:
    return any(isinstance(_at(one.outputs, path), bool) for path in texts(one.outputs.get(REHEARSED)))


def _without_choices(properties: Mapping[str, object], taken: set[str]) -> dict[str, object]:
    return {
        name: UNKNOWN if name in taken and isinstance(value, bool) else value
        for name, value in properties.items()
    }


def _known(value: object) -> object:
    """Return a value with each marked one in it unknown."""
    if isinstance(value, str):
        return _known_text(value) if MARK in value.lower() else value
    if isinstance(value, list):
        return [_known(item) for item in sequence(cast("object", value))]
    if isinstance(value, dict):
        return _known_fields(mapping(cast("object", value)))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return UNKNOWN if is_number and value == MARKED_NUMBER else value


def _known_fields(body: Mapping[str, object]) -> object:
    if body.get(SIGNATURE) == SECRET and "plaintext" in body:
        return {**body, "plaintext": json.dumps(_known(json.loads(text(body["plaintext"]))))}
    if SIGNATURE not in body and any(MARK in key.lower() for key in body):
        return UNKNOWN
    return {key: _known(item) for key, item in body.items()}


def _known_text(marked: str) -> str:
    """Return a marked text as unknown; of a JSON document only what is marked in it."""
    try:
        document: object = json.loads(marked)
    except (ValueError, RecursionError):
        return UNKNOWN
    is_document = isinstance(document, dict | list)
    return json.dumps(_known(cast("object", document))) if is_document else UNKNOWN


def _steps(path: str) -> list[str | int]:
    return [int(index) if index else name for name, index in _STEP.findall(path)]


def _at(value: object, path: str) -> object:
    for step in _steps(path):
        if isinstance(step, int):
            items = sequence(value)
            value = items[step] if step < len(items) else None
        else:
            value = mapping(value).get(step)
    return value


def _forget(outputs: dict[str, object], path: str) -> None:
    """Make what is at a path unknown."""
    *parents, last = _steps(path)
    value: object = outputs
    for step in parents:
        value = _at(value, f"[{step}]" if isinstance(step, int) else step)
    if isinstance(value, dict) and isinstance(last, str):
        cast("dict[str, object]", value)[last] = UNKNOWN
    elif isinstance(value, list) and isinstance(last, int):
        cast("list[object]", value)[last] = UNKNOWN
