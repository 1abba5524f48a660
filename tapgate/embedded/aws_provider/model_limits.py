"""Adds to a type's schema what AWS's own models say of its inputs, beside pulumi_aws's documentation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider.operations import Call, Wanted
from tapgate.embedded.aws_provider.published import of_operations, widened
from tapgate.embedded.aws_provider.resource_schema import Limit

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.resource_schema import Object, Property, ResourceSchema, Type
    from tapgate.embedded.aws_provider.types.description import Description

_VERBS = ("Create", "Put", "Add")
_PRIMITIVE = frozenset({"string", "integer", "number", "union"})


def with_model_limits(schema: ResourceSchema, description: Description) -> ResourceSchema:
    """Add limits: all that the models say of types that are described, and the enumerations of the others.

    Args:
        schema: The type's schema.
        description: What is known of it besides.
    """
    module, resource = schema.token.split(":", 2)[1].split("/", 1)[0], schema.token.rpartition(":")[2]
    operations = {*description.creations, *(f"{verb}{resource}" for verb in _VERBS)}
    spelled: dict[str, str] = {}
    if description.operations is not None:
        calls = [
            description.operations.create,
            *(group.put for group in description.operations.property_groups),
        ]
        for call in calls:
            if isinstance(call, Call):
                operations.add(call.operation)
                spelled |= {
                    source.property: name
                    for name, source in call.params.items()
                    if isinstance(source, Wanted)
                }
    spelled |= description.members
    objects, pending = dict(schema.objects), set(schema.objects)

    def added(properties: Object, path: str) -> dict[str, Property]:
        found: dict[str, Property] = {}
        for name, prop in properties.items():
            where, kind = f"{path}{name}", _element(prop.type)
            if kind.kind == "object" and kind.name in pending:
                pending.discard(kind.name)
                objects[kind.name] = added(schema.objects[kind.name], f"{where}.")
            limit = prop.limit
            if kind.kind in _PRIMITIVE:
                member = spelled.get(where, where)
                stated = of_operations(module, operations, member, inside=description.known)
                limit = _joined(limit, _trusted(stated, description), module, confirmed=not description.known)
            found[name] = replace(prop, limit=limit)
        return found

    inputs = added(schema.inputs, "")
    return replace(schema, inputs=inputs, objects=objects)


def _element(kind: Type) -> Type:
    return _element(kind.args[0]) if kind.kind == "list" else kind


def _trusted(stated: Limit | None, description: Description) -> Limit | None:
    """Leave out, where nothing says how a type uses the operation, everything but enumerations."""
    if description.known or stated is None:
        return stated
    return Limit(choices=stated.choices) if stated.choices else None


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
