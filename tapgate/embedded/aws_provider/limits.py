"""Checks values against what AWS takes for a property, beyond its type, and properties against each other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

from tapgate.embedded.aws_provider.checking import Failure, nearest
from tapgate.embedded.aws_provider.marks import MARK, MARKED_NUMBER, STAND_IN_SECRET
from tapgate.embedded.aws_provider.resource_schema import Form, Limit, Object, ResourceSchema, Type
from tapgate.embedded.aws_provider.values import Blob, Properties, Unknown, Value

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.description import Description, Rule

_FORMS: dict[Form, str] = {
    "arn": "an ARN (arn:partition:service:region:account:resource)",
    "json": "a JSON document",
    "policy": "a JSON document that is an object",
    "iam-policy": "a JSON object that begins with its brace and repeats no key",
}
# What terraform-provider-aws takes for an ARN: internal/verify/validate.go.
_ARN = re.compile(
    r"arn:aws(-[a-z]+)*:[^:]*:(\*|[a-z]{2}(-[a-z]+)+-\d)?:"
    r"(\*|aws|aws-managed|aws-marketplace|third-party|\d{12}|cw.{10})?:.+",
    re.DOTALL,
)
_EC2_ACTION = re.compile(r"arn:[\w-]+:automate:[\w-]+:ec2:(reboot|recover|stop|terminate)")
_REGION = Limit(pattern=r"[a-z]{2}(-[a-z]+)+-\d")
_SHOWN = 60
_SENTINELS = (0, -1)
"""Numbers that stand for none in many types of pulumi-aws."""


def check_limits(
    schema: ResourceSchema,
    inputs: Properties,
    description: Description,
    olds: Properties,
    secrets: frozenset[str] = frozenset(),
) -> list[Failure]:
    """Check inputs that have the right types.

    Args:
        schema: What is known of the resource's type.
        inputs: Its inputs, converted.
        description: What is known of the type besides: its limits hold in place of what the schema says.
        olds: The inputs of the last deployment; empty when there is none.
        secrets: Inputs whose values are not shown.
    """
    failures: list[Failure] = []
    published = {dotted for dotted, _, _, _ in _published(schema, inputs)}
    stated = {**dict.fromkeys(description.documents - published, Limit(form="json")), **description.limits}
    if "region" in schema.inputs:
        stated.setdefault("region", _REGION)
    for name, limit in stated.items():
        for path, value in values_at(inputs, name.split(".")):
            failures += _failure(schema.token, path, value, limit, secrets)
    for dotted, path, value, limit in _published(schema, inputs):
        if dotted not in stated and (description.known or not _passes(value, limit)):
            failures += _failure(schema.token, path, value, limit, secrets)
    failures += _at_odds(schema, inputs, schema.inputs, "")
    for rule in description.rules:
        failures += [Failure(path, f"{schema.token}: {reason}") for path, reason in rule(inputs, olds)]
    return failures


def values_at(value: Value, steps: list[str], path: str = "") -> Iterator[tuple[str, Value]]:
    """Find the values at a path of names, through lists, with the concrete path of each."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from values_at(item, steps, f"{path}[{index}]")
    elif not steps:
        yield path, value
    elif isinstance(value, dict) and steps[0] in value:
        yield from values_at(value[steps[0]], steps[1:], f"{path}.{steps[0]}" if path else steps[0])


def _published(schema: ResourceSchema, inputs: Properties) -> Iterator[tuple[str, str, Value, Limit]]:
    def walk(
        value: Value, type_: Type, dotted: str, path: str, limit: Limit | None
    ) -> Iterator[tuple[str, str, Value, Limit]]:
        if isinstance(value, list):
            inner = type_.args[0] if type_.base == "list" else type_
            for index, item in enumerate(value):
                yield from walk(item, inner, dotted, f"{path}[{index}]", limit)
        elif isinstance(value, dict):
            for name, item in value.items():
                prop = schema.properties_of(type_).get(name)
                if prop is not None:
                    yield from walk(item, prop.type, f"{dotted}.{name}", f"{path}.{name}", prop.limit)
        elif limit is not None:
            yield dotted, path, value, limit

    for name, value in inputs.items():
        prop = schema.inputs.get(name)
        if prop is not None:
            yield from walk(value, prop.type, name, name, prop.limit)


def _at_odds(schema: ResourceSchema, value: Value, properties: Object, path: str) -> Iterator[Failure]:
    """Find siblings that cannot be given together."""
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        prop = properties.get(name)
        if prop is None:
            continue
        for other in prop.conflicts:
            twice = name >= other and name in properties[other].conflicts
            if given(item) and given(value.get(other)) and not twice:
                where = f"{path}.{name}" if path else name
                yield Failure(
                    where,
                    f"{schema.token}: `{where}` is given together with `{other}`. Required: only one. "
                    "AWS refuses both. Fix: take one of them out",
                )
        type_ = prop.type.args[0] if prop.type.base == "list" else prop.type
        for index, inner in enumerate(item if isinstance(item, list) else [item]):
            below = f"{path}.{name}" if path else name
            step = f"{below}[{index}]" if isinstance(item, list) else below
            yield from _at_odds(schema, inner, schema.properties_of(type_), step)


def given(value: Value) -> bool:
    """Return whether a program certainly gives a value, one that is more than nothing."""
    return not isinstance(value, Unknown) and value not in (None, False, "", [], {})


def _passes(value: Value, limit: Limit) -> bool:
    """Return whether a value passes where less is known of its type: many take it otherwise written."""
    if value in _SENTINELS:
        return True
    if not isinstance(value, str):
        return False
    if limit.form == "arn":
        return value == "*" or value.startswith("arn:")
    return value.lower() in {str(allowed).lower() for allowed in limit.choices}


def _failure(token: str, path: str, value: Value, limit: Limit, secrets: frozenset[str]) -> list[Failure]:
    problem = _problem(value, limit)
    if problem is None:
        return []
    hidden = re.split(r"[.\[]", path, maxsplit=1)[0] in secrets
    shown = "a secret that does not fit" if hidden else _show(value)
    return [Failure(path, f"{token}: `{path}` is {shown}. {problem}")]


def _problem(value: Value, limit: Limit) -> str | None:
    if isinstance(value, Unknown | Blob | list | dict) or value is None or value in limit.choices:
        return None
    if value == MARKED_NUMBER or (isinstance(value, str) and (MARK in value or STAND_IN_SECRET in value)):
        # A rehearsal's stand-in for what only AWS knows, or for a secret that the team alone knows.
        return None
    if isinstance(value, str):
        return _text_problem(value, limit)
    return None if isinstance(value, bool) else _number_problem(value, limit)


def _number_problem(value: float, limit: Limit) -> str | None:
    low, high = limit.minimum, limit.maximum
    if limit.multiple and value > 0 and value % limit.multiple == 0:
        return None
    if low is None and high is None:
        return _not_allowed(value, limit) if limit.choices else None
    within = (low is None or value >= low) and (high is None or value <= high)
    return None if within else _out_of_bounds(limit)


def _out_of_bounds(limit: Limit) -> str:
    bounds = " and ".join(
        text
        for text in (
            limit.minimum is not None and f"at least {limit.minimum}",
            limit.maximum is not None and f"at most {limit.maximum}",
        )
        if text
    )
    beside = f" (or {', '.join(map(str, limit.choices))})" if limit.choices else ""
    return f"Required: {bounds}{beside}. AWS refuses anything else. Fix: choose a value within"


def _text_problem(value: str, limit: Limit) -> str | None:
    if limit.form:
        return None if _has_form(value, limit.form) else _unfit(_FORMS[limit.form])
    if limit.choices:
        return _not_allowed(value, limit) if value else None
    if len(value) < limit.min_length or (limit.max_length is not None and len(value) > limit.max_length):
        upper = f" to {limit.max_length}" if limit.max_length is not None else " or more"
        return _unfit(f"{limit.min_length}{upper} characters; it has {len(value)}")
    if limit.pattern and not re.fullmatch(limit.pattern, value):
        return _unfit(f"a text that matches {limit.pattern}")
    return None


def _unfit(required: str) -> str:
    return f"Required: {required}. AWS refuses anything else. Fix: give such a value"


def _not_allowed(value: Value, limit: Limit) -> str:
    meant = nearest(str(value), (str(allowed) for allowed in limit.choices))
    fix = f"did you mean {meant}?" if meant and isinstance(value, str) else "take one of these"
    also = f", or a multiple of {limit.multiple}" if limit.multiple else ""
    return (
        f"Required: one of {', '.join(map(str, limit.choices))}{also}. AWS refuses anything else. Fix: {fix}"
    )


def _has_form(value: str, form: Form) -> bool:
    if form == "arn":
        return value == "" or bool(_ARN.fullmatch(value) or _EC2_ACTION.fullmatch(value))
    if form == "iam-policy" and not value.startswith("{"):
        return False
    try:
        document = cast(
            "object", json.loads(value, object_pairs_hook=_no_key_twice if form == "iam-policy" else None)
        )
    except ValueError:
        return False
    return form == "json" or isinstance(document, dict)


def _no_key_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError
    return members


def _show(value: Value) -> str:
    if not isinstance(value, str):
        return str(value)
    return repr(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…")


MOMENT: Final = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})"
"""A moment as RFC 3339 has it."""


def not_both(one: str, other: str) -> Rule:
    """Refuse two inputs together."""

    def rule(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
        if given(inputs.get(one)) and given(inputs.get(other)):
            yield one, f"`{one}` and `{other}` are both given. AWS takes one of them. Fix: take the other out"

    return rule


def needs(one: str, other: str, *, true: bool = False) -> Rule:
    """Refuse an input without another one; `true` where that one has to be true."""

    def rule(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
        there = inputs.get(other)
        if given(inputs.get(one)) and (there is None or (true and there is False)):
            said = f"`{other}: true`" if true else f"`{other}`"
            yield one, f"`{one}` is given without {said}. AWS takes it only besides. Fix: give {said} as well"

    return rule


def one_given(*names: str) -> Rule:
    """Refuse that none of some inputs is given."""

    def rule(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
        if all(inputs.get(name) is None for name in names):
            said = ", ".join(f"`{name}`" for name in names)
            yield names[0], f"none of {said} is given. AWS needs one of them. Fix: give one"

    return rule


def at_most(name: str, count: int) -> Rule:
    """Refuse a list with more elements."""

    def rule(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
        value: Value = inputs
        for step in name.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, list) and len(value) > count:
            yield name, f"`{name}` has {len(value)} elements. AWS takes at most {count}. Fix: leave some out"

    return rule


def fifo_name(switch: str) -> Rule:
    """Refuse a name that ends with `.fifo` for what is none, and another one for what is."""

    def rule(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
        name, fifo = inputs.get("name"), inputs.get(switch)
        if isinstance(name, str) and isinstance(fifo, bool | None) and name.endswith(".fifo") != bool(fifo):
            wanted = "end with `.fifo`" if fifo else f"not end with `.fifo` unless `{switch}` is true"
            yield (
                "name",
                f"`name` is {name!r}. It has to {wanted}. AWS refuses it. Fix: correct one of the two",
            )

    return rule
