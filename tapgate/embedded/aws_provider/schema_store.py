"""Keeps the schemas that were read from pulumi_aws: in memory, and in the user's cache for the next run.

A resource's schema has the limits of its inputs besides: those of pulumi_aws's documentation, joined with
what AWS's own models say.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tapgate.embedded.aws_provider import sdk_source
from tapgate.embedded.aws_provider.description import Call, Description
from tapgate.embedded.aws_provider.published import of_operations, widened
from tapgate.embedded.aws_provider.resource_schema import DECODER, Limit, ResourceSchema
from tapgate.embedded.aws_provider.types import describe
from tapgate.embedded.console import Failure
from tapgate.embedded.paths import cache_root, write_atomically

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.resource_schema import Object, Property


NOTED = "TAPGATE_NOTED"
"""Names the file for notes, where the cache cannot be written to."""
_MOST_NOTED = 500
_TOKEN = re.compile(r"aws\.(\w+)\.(\w+)\.(\w+)\.json", re.ASCII)


def keep_file(path: Path, text: str) -> None:
    """Put a file in place whole, so that runs at the same time see the old one or the new one.

    What is in it can be made anew, so a cache that cannot be written to is no error. A sandbox says where to
    note what was not kept: `keep_noted`.
    """
    try:
        write_atomically(path, text)
    except (OSError, Failure):
        with (
            contextlib.suppress(OSError),
            Path(os.environ.get(NOTED, "")).open("a", encoding="utf-8") as file,
        ):
            file.write(f"{path.name}\n")


def keep_noted(file: Path) -> None:
    """Make and keep, outside, what runs in a sandbox had to make without being able to keep it.

    Args:
        file: What they noted. A program may have written there too: of it no more than names is believed.
    """
    from tapgate.embedded.aws_provider.package_schema import schema_text  # noqa: PLC0415 - it imports this module

    for name in sorted(set(file.read_text("utf-8", "replace").split()))[:_MOST_NOTED]:
        token = _TOKEN.fullmatch(name)
        with contextlib.suppress(
            sdk_source.UnknownTypeError, sdk_source.SdkMissingError, OSError, ValueError
        ):
            if token is None:
                schema_text()
            elif token[3][0].isupper():
                schema_of(f"aws:{token[1]}/{token[2]}:{token[3]}")
            else:
                function_schema_of(f"aws:{token[1]}/{token[2]}:{token[3]}")


_HERE = Path(__file__).parent
_MAKERS = (
    "description",
    "members",
    "published",
    "resource_schema",
    "schema_store",
    "sdk_source",
    "sdk_text",
)


@functools.cache
def schema_of(token: str) -> ResourceSchema:
    """Return the schema of a resource type, as `read_resource` reads it, with the limits of AWS's models."""
    return _kept(token, lambda token: with_model_limits(sdk_source.read_resource(token), describe(token)))


@functools.cache
def function_schema_of(token: str) -> ResourceSchema:
    """Return the schema of a function, as `sdk_source.read_function` reads it."""
    return _kept(token, sdk_source.read_function)


def cache_folder() -> Path:
    """Return where schemas are cached: a folder for each version of what they are made of and by."""
    return cache_root() / "aws-resource-schemas" / f"{sdk_source.package_version()}-{_makers_digest()}"


@functools.cache
def _makers_digest() -> str:
    made = hashlib.sha256(metadata.version("botocore").encode())
    for path in [*(_HERE / f"{name}.py" for name in _MAKERS), *sorted((_HERE / "types").glob("*.py"))]:
        made.update(path.read_bytes())
    return made.hexdigest()[:12]


def _kept(token: str, read: Callable[[str], ResourceSchema]) -> ResourceSchema:
    path = cache_folder() / f"{token.replace(':', '.').replace('/', '.')}.json"
    schema = _load(path, token)
    if schema is None:
        schema = read(token)
        keep_file(path, msgspec.json.encode(schema).decode())
    return schema


def _load(path: Path, token: str) -> ResourceSchema | None:
    try:
        schema = DECODER.decode(path.read_bytes())
    except (OSError, ValueError):
        return None
    return schema if schema.token == token else None


_VERBS = ("Create", "Put", "Add")
_PRIMITIVE = frozenset({"string", "integer", "number", "union"})


def with_model_limits(schema: ResourceSchema, description: Description) -> ResourceSchema:
    """Add limits: all that the models say of types that are described, and the enumerations of the others."""
    module, resource = schema.token.split(":", 2)[1].split("/", 1)[0], schema.token.rpartition(":")[2]
    operations = {f"{verb}{resource}" for verb in _VERBS}
    if description.operations is not None:
        groups = (group.put for group in description.operations.property_groups)
        calls = [description.operations.create, *groups]
        operations |= {call.operation for call in calls if isinstance(call, Call)}
    objects, pending = dict(schema.objects), set(schema.objects)

    def added(properties: Object, path: str) -> dict[str, Property]:
        limited: dict[str, Property] = {}
        for name, prop in properties.items():
            where, type_ = f"{path}{name}", prop.type.element()
            if type_.base == "object" and type_.name in pending:
                pending.discard(type_.name)
                objects[type_.name] = added(schema.objects[type_.name], f"{where}.")
            limit = prop.limit
            if type_.base in _PRIMITIVE:
                names = description.names if description.known else None
                stated = of_operations(module, operations, where, names)
                if stated is not None and not description.known:
                    # Nothing says how the type uses the operation: what counts is an enumeration alone.
                    stated = Limit(choices=stated.choices) if stated.choices else None
                limit = _joined(limit, stated, module, confirmed=not description.known)
            limited[name] = replace(prop, limit=limit)
        return limited

    inputs = added(schema.inputs, "")
    return replace(schema, inputs=inputs, objects=objects)


def _joined(documented: Limit | None, stated: Limit | None, module: str, *, confirmed: bool) -> Limit | None:
    """Join what pulumi_aws's documentation says of a property with what the model of its operation does."""
    if documented is None or stated is None:
        return stated if documented is None else widened(module, documented, confirmed=confirmed)
    if stated.choices and documented.choices:
        return replace(documented, choices=tuple(dict.fromkeys([*documented.choices, *stated.choices])))
    if documented.max_length is not None:
        return replace(documented, pattern=stated.pattern)
    bounded = documented.maximum is not None or documented.minimum is not None
    if bounded and not documented.choices:
        # The provider's greatest value may be less than AWS's; its least is sometimes said wrongly.
        bounds = [bound for bound in (documented.minimum, stated.minimum) if bound is not None]
        return replace(documented, minimum=min(bounds, default=None))
    return widened(module, documented, confirmed=confirmed)
