"""Values that stand in for what no one knows before a deployment: of the right type, and marked."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.resource_schema import ResourceSchema, Type
    from tapgate.embedded.aws_provider.values import Value
    from tapgate.embedded.program_text import Lookups
    from tapgate.embedded.program_uses import Use

MARK: Final = "tapunknown"
"""In every marked text: lower case, without separators: it survives what programs do with names."""

STAND_IN_SECRET: Final = "tapgate-stand-in-secret"  # noqa: S105 - says that it is none
"""What a program gets in place of a secret of its configuration that may be any text."""

MARK_IN_BASE64: Final = base64.b64decode("QTApUnknOWNQ").decode()
"""A text that bears the mark when it is encoded, behind a multiple of three bytes."""

MARKED_NUMBER: Final = 1_618_033_988
"""Every marked number: none that a program is likely to write."""

REHEARSED: Final = "__rehearsed"
"""The output that lists those of a resource's outputs that no one knows: true and false cannot be marked."""

PROGRAM_FOLDER: Final = "TAPGATE_PROGRAM_FOLDER"
"""Names the folder of the program that a stand-in works for."""

_LOCK: Final = threading.RLock()
_OWNER: Final = re.compile(r"[.#]")
_DEEPEST: Final = 8
_DEEPEST_OPTIONAL: Final = 4


def marked_text(seed: str) -> str:
    """Return a marked text by what it stands for, e.g. a resource's URN and an output: always the same."""
    return MARK + hashlib.sha256(seed.encode()).hexdigest()[:8]


def contains_mark(value: Value) -> bool:
    """Return whether a value stands in for something, or has something inside that does."""
    if isinstance(value, list):
        return any(contains_mark(item) for item in value)
    if isinstance(value, dict):
        return any(contains_mark(item) for item in (*value, *value.values()))
    return value == MARKED_NUMBER or (isinstance(value, str) and MARK in value.lower())


Resources = Callable[[str, str], "Value"]
"""Returns what stands for a resource: by its class in another package's SDK, and the seed."""


def marked(
    type_: Type, schema: ResourceSchema, seed: str, depth: int = 0, resources: Resources | None = None
) -> Value:
    """Return a value of a type, marked as far as it can be.

    Args:
        type_: The type.
        schema: What the objects in it are.
        seed: What it stands for.
        depth: How deep in another value it is; objects may hold themselves.
        resources: Makes what is a resource of another package; such a one is a text where it is None.
    """
    if resources is not None and type_.base == "any" and type_.stand_in:
        return resources(type_.stand_in, seed)
    inner = functools.partial(marked, schema=schema, depth=depth + 1, resources=resources)
    if type_.base == "list":
        # Programs take the first one, and spread over zones; an object may become a resource each.
        count, use = 1 if type_.args[0].base in {"object", "union"} else 3, _use(seed)
        count = use.elements(count) if use is not None else count
        return [inner(type_.args[0], seed=f"{seed}[{index}]") for index in range(count)]
    if type_.base == "map":
        # A key that no one knows makes all of the map unknown: which others there are, no one knows.
        keys = {marked_text(f"{seed}[*]"): "*", **{key: key for key in _lookups().keys}}
        return {key: inner(type_.args[0], seed=f"{seed}[{name}]") for key, name in keys.items()}
    if type_.base == "object" and depth > _DEEPEST:
        return {}
    if type_.base == "object":
        besides = depth <= _DEEPEST_OPTIONAL
        return {
            name: inner(prop.type, seed=f"{seed}.{name}")
            for name, prop in schema.properties_of(type_).items()
            if prop.required or (besides and (is_read(name) or _is_looked_up(name)))
        }
    return _scalar(type_, seed)


def _scalar(type_: Type, seed: str) -> Value:
    files = {type_.base, *(one.base for one in type_.args)} & {"asset", "archive"}
    if files:
        from tapgate.embedded.aws_provider.values import Blob  # noqa: PLC0415 - for a provider alone

        asset = Blob("asset", text=marked_text(seed))
        return asset if "asset" in files else Blob("archive", assets={"stand-in": asset})
    if type_.base in {"integer", "number"}:
        return MARKED_NUMBER
    if type_.base == "boolean":
        return False
    form = _form(seed) if type_.base in {"string", "any"} and not type_.stand_in else None
    # What the program takes apart may be another attribute of that name: a string stays a text.
    if isinstance(form, str) or (form is not None and type_.base == "any"):
        return form
    # Pulumi's Python SDK waits for ever for an output that is no value of its enumeration.
    return type_.stand_in if type_.base == "string" and type_.stand_in else marked_text(seed)


def snake(name: str) -> str:
    """Return a name as Python has it, the file's as well that defines a member: `bucket_v2` of `BucketV2`."""
    partly = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name))
    return partly.lower()


def is_read(name: str) -> bool:
    """Say whether the program's text reads an attribute of this name: it expects that to be there."""
    return snake(name) in _lookups().attributes


def is_tried(function: str) -> bool:
    """Say whether the program goes on where a function, by its name in a schema, fails."""
    return snake(function) in _lookups().tried


def _is_looked_up(name: str) -> bool:
    """Say whether the program looks something up by this name, as it may a field of an object."""
    return not {name, snake(name)}.isdisjoint(_lookups().keys)


def _form(seed: str) -> Value:
    """Return a value of the form that the program needs of it; None where any text will do."""
    use = _use(seed)
    if use is None or not use.has_text_form():
        return None
    from tapgate.embedded.program_uses import formed  # noqa: PLC0415 - it marks values, too

    return cast("Value", formed(use, seed, is_object=True))


def _use(seed: str) -> Use | None:
    """Return what the program does with an attribute, or with an entry of one; None where that is unknown."""
    forms = _lookups().forms
    if not forms:
        return None
    owner, _, key = _OWNER.split(seed)[-1].partition("[")
    use = forms.get(snake(owner))
    return use.fields.get(key.removesuffix("]")) if use is not None and key else use


def _lookups() -> Lookups:
    """Return what the program's text looks up, its attributes in snake case."""
    # A cache alone does not keep the threads of the first calls from each reading all of the program.
    with _LOCK:
        return _looked_up()


@functools.cache
def _looked_up() -> Lookups:
    from tapgate.embedded.program_text import Lookups, lookups  # noqa: PLC0415 - it marks values, too

    folder = os.environ.get(PROGRAM_FOLDER)
    if not folder:
        return Lookups()
    known = lookups(Path(folder))
    forms = {snake(name): use for name, use in known.forms.items()}
    return Lookups(known.keys, frozenset(map(snake, known.attributes)), forms, known.tried)
