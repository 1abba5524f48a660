"""Making one property of a case unknown: any that is there, and any that the rule looked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from tap_guardrails.aws.embedded import with_embedded
from tap_guardrails.evaluation import evaluate_stack, evaluated
from tap_guardrails.model import ResourceRule, Settings, Stack
from tap_guardrails.model.rule import types_read
from tests.policypack.harness.cases import RULES, CaseResource, decoded, model
from tests.policypack.harness.trees import UNKNOWN_MARK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_guardrails.model import Value
    from tests.policypack.harness.cases import Case

Path = tuple[str | int, ...]

ORIGIN = CaseResource("origin", "random:index/randomId:RandomId")
"""What injected unknowns are said to be made from: nothing that tells a rule anything."""


class Recorded(dict[str, "Value"]):
    """An object that notes which of its fields were looked for."""

    def __init__(self, fields: Mapping[str, Value], path: Path, seen: set[Path]) -> None:
        super().__init__({name: recorded(value, (*path, name), seen) for name, value in fields.items()})
        self._path = path
        self._seen = seen

    def get(self, key: str, default: Value = None) -> Value:  # pyright: ignore[reportIncompatibleMethodOverride]
        self._seen.add((*self._path, key))
        return super().get(key, default)


def recorded(value: Value, path: Path, seen: set[Path]) -> Value:
    if isinstance(value, dict):
        return Recorded(value, path, seen)
    if isinstance(value, list):
        return [recorded(item, (*path, position), seen) for position, item in enumerate(value)]
    return value


@dataclass(frozen=True)
class Place:
    """A property of a resource of a case."""

    resource: str
    path: Path

    def __str__(self) -> str:
        return f"{self.resource}: {'.'.join(map(str, self.path))}"


def places(case: Case) -> list[Place]:
    """All places of a case that hold something, or that the rule looked at."""
    if case.identity not in KNOWN_PLACES:
        KNOWN_PLACES[case.identity] = find_places(case)
    return KNOWN_PLACES[case.identity]


KNOWN_PLACES: dict[str, list[Place]] = {}


def find_places(case: Case) -> list[Place]:
    looked_for = reads(case)
    return [
        Place(resource.name, path)
        for resource in case.resources
        for path in sorted({*paths(resource.props), *looked_for[resource.name]}, key=str)
    ]


def reads(case: Case) -> dict[str, set[Path]]:
    """Run the rule over a case, and note by resource what it looked for."""
    seen: dict[str, set[Path]] = {resource.name: set() for resource in case.resources}
    urns = {resource.name: resource.urn for resource in case.resources}
    resources = [
        replace(model(given, urns), properties=Recorded(decoded(given.props), (), seen[given.name]))
        for given in case.resources
    ]
    settings = Settings(case.rule.all_settings, case.config)
    if isinstance(case.rule, ResourceRule):
        for resource in with_embedded(resources[:1]):
            if resource.is_a(case.rule.types):
                evaluated(case.rule.check, resource, settings)
    else:
        stack = Stack(tuple(with_embedded(resources)), types_read=types_read(RULES.values()))
        evaluate_stack(case.rule, stack, settings)
    return seen


def paths(tree: object, path: Path = ()) -> Iterator[Path]:
    """All places in a tree but its root."""
    if isinstance(tree, dict):
        steps: list[tuple[str | int, object]] = list(cast("dict[str, object]", tree).items())
    elif isinstance(tree, list):
        steps = list(enumerate(cast("list[object]", tree)))
    else:
        return
    for step, child in steps:
        yield (*path, step)
        yield from paths(child, (*path, step))


def put(tree: object, path: Path, value: object) -> object:
    """Return a tree with another value at a place; objects that are missing on the way are made.

    Raises:
        IndexError: There is no such element.
        TypeError: There is no list.
    """
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        if not isinstance(tree, list):
            raise TypeError(type(tree).__name__)
        items = [*cast("list[object]", tree)]
        items[step] = put(items[step], rest, value)
        return items
    fields = dict(cast("dict[str, object]", tree)) if isinstance(tree, dict) else {}
    return {**fields, step: put(fields.get(step), rest, value)}


def with_value(case: Case, place: Place, value: object) -> Case:
    """Return a case with another value at a place, made from something that tells nothing."""
    changed = tuple(
        replace(
            resource,
            props=cast("dict[str, object]", put(resource.props, place.path, value)),
            deps={**resource.deps, str(place.path[0]): [ORIGIN.name]},
        )
        if resource.name == place.resource
        else resource
        for resource in case.resources
    )
    alone = isinstance(case.rule, ResourceRule)
    return replace(case, resources=changed if alone else (*changed, ORIGIN))


def with_unknown(case: Case, place: Place) -> Case:
    """Return a case with a place unknown."""
    return with_value(case, place, UNKNOWN_MARK)
