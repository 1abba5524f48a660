"""Checks values against what AWS takes for a property, beyond its type, and properties against each other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from tapgate.embedded.aws_provider.checking import Failure, nearest
from tapgate.embedded.aws_provider.marks import MARK, MARKED_NUMBER, STAND_IN_SECRET
from tapgate.embedded.aws_provider.resource_schema import Form, Limit
from tapgate.embedded.aws_provider.values import Blob, Properties, Unknown, Value

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.description import Description, Rule
    from tapgate.embedded.aws_provider.resource_schema import Object, Property, ResourceSchema

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
    limits = _Limits(schema, {"region": _REGION, **description.limits}, description, secrets)
    limits.object(inputs, schema.inputs)
    for rule in description.rules:
        refused = (Failure(path, f"{schema.token}: {reason}") for path, reason in rule(inputs, olds))
        limits.failures.extend(refused)
    return limits.failures


@dataclass(slots=True)
class _Limits:
    """Goes through inputs, and keeps why AWS refuses some."""

    schema: ResourceSchema
    stated: Mapping[str, Limit]
    description: Description
    secrets: frozenset[str]
    failures: list[Failure] = field(default_factory=list[Failure])

    def object(self, values: Properties, properties: Object, path: str = "", described: str = "") -> None:
        """Check an object; `described` is its path without the places in lists."""
        for name, value in values.items():
            prop = properties.get(name)
            if prop is None:
                continue
            self.value(value, prop, f"{path}{name}", f"{described}{name}")
            for other in prop.conflicts:
                twice = name >= other and name in properties[other].conflicts
                if given(value) and given(values.get(other)) and not twice:
                    reason = (
                        f"{self.schema.token}: `{path}{name}` is given together with `{other}`. Required: "
                        "only one. AWS refuses both. Fix: take one of them out"
                    )
                    self.failures.append(Failure(f"{path}{name}", reason))

    def value(self, value: Value, prop: Property, path: str, described: str) -> None:
        """Check a value, or each in a list or object."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                self.value(item, prop, f"{path}[{index}]", described)
        elif isinstance(value, dict):
            inside = self.schema.properties_of(prop.type.element())
            self.object(value, inside, f"{path}.", f"{described}.")
        elif described in self.stated:
            self.failures += _failure(self.schema.token, path, value, self.stated[described], self.secrets)
        else:
            document = Limit(form="json" if described in self.description.documents else "")
            limit = prop.limit or document
            if self.description.known or not _passes(value, limit):
                self.failures += _failure(self.schema.token, path, value, limit, self.secrets)


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


def _owners(value: Value, names: str, path: str = "") -> Iterator[tuple[str, str, Properties]]:
    """Yield how a property's path begins, its name, and what it is in: `a.b` in each object of `a`."""
    name, _, inner = names.partition(".")
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _owners(item, names, f"{path[:-1]}[{index}].")
    elif isinstance(value, dict) and inner:
        yield from _owners(value.get(name), inner, f"{path}{name}.")
    elif isinstance(value, dict):
        yield path, name, value


def not_both(one: str, other: str) -> Rule:
    """Refuse a property together with another one beside it."""

    def rule(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
        for path, name, owner in _owners(inputs, one):
            if given(owner.get(name)) and given(owner.get(other)):
                both = f"`{path}{name}` and `{path}{other}` are both given"
                yield f"{path}{name}", f"{both}. AWS takes one of them. Fix: take the other out"

    return rule


def needs(one: str, other: str, *, true: bool = False) -> Rule:
    """Refuse a property without another one beside it; `true` where that one has to be true."""

    def rule(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
        for path, name, owner in _owners(inputs, one):
            there = owner.get(other)
            if given(owner.get(name)) and (there in (None, "") or (true and there is False)):
                said = f"`{path}{other}: true`" if true else f"`{path}{other}`"
                alone = f"`{path}{name}` is given without {said}"
                yield f"{path}{name}", f"{alone}. AWS takes it only besides. Fix: give {said} as well"

    return rule


def one_given(*names: str, where: str = "") -> Rule:
    """Refuse that none of some inputs is given, be it only where another one is."""

    def rule(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
        if all(inputs.get(name) is None for name in names) and (not where or given(inputs.get(where))):
            said = ", ".join(f"`{name}`" for name in names)
            besides = f" besides `{where}`" if where else ""
            yield names[0], f"none of {said} is given. AWS needs one of them{besides}. Fix: give one"

    return rule


def at_most(one: str, count: int) -> Rule:
    """Refuse a list with more elements."""

    def rule(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
        for path, name, owner in _owners(inputs, one):
            value = owner.get(name)
            if isinstance(value, list) and len(value) > count:
                size = f"`{path}{name}` has {len(value)} elements"
                yield f"{path}{name}", f"{size}. AWS takes at most {count}. Fix: leave some out"

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
