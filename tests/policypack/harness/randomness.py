"""Random property trees: whatever can come over the wire, sound or not."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from tap_guardrails.model import ResourceRule
from tap_guardrails.model.values import (
    OPAQUE_SIGNATURES,
    OUTPUT_SIGNATURE,
    REFERENCE_SIGNATURE,
    SECRET_SIGNATURE,
    SIGNATURE_KEY,
    UNKNOWN_MARKS,
)
from tests.policypack.harness.injection import ORIGIN, places, put

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from tests.policypack.harness.cases import Case, CaseResource

WORDS = [
    *("", "x", "true", "false", "0", "30", "-1", "1e999", "NaN", "Active", "*", "arn:", "{", "[]", "m1 + m2"),
    *(
        "SUM(",
        "SUM(METRICS())",
        "(" * 500,
        "ALARM(",
        "\u0000",
        "é\ud7ff",
        "AWS/Lambda",
        "Errors",
        "FunctionName",
    ),
    *("[" * 20_000, "x" * 65_536, '{"deadLetterTargetArn": 1}', '{"Statement": [{"Effect": "Allow"}]}'),
    "arn:aws:sqs:eu-west-2:1:tap-dlq",
]
NUMBERS = [0, 1, -1, 0.5, 365, 1e308, -1e308, math.nan, math.inf, -math.inf, 2**53 + 1]
DOCUMENTS = [json.dumps(one, allow_nan=True) for one in ([], {}, {"Statement": WORDS}, NUMBERS, None)]
UNKNOWNS = sorted(UNKNOWN_MARKS)
LEAVES: list[Sequence[object]] = [WORDS, NUMBERS, [True], [False], [None], UNKNOWNS, DOCUMENTS]
SIGNATURES = [SECRET_SIGNATURE, OUTPUT_SIGNATURE, REFERENCE_SIGNATURE, *OPAQUE_SIGNATURES, "0" * 32]
KEYS = ["id", "value", "name", "mode", "enabled", "metric", "expression", "secret", "Effect", "a.b", "", "é"]
DEEP = 90


def value(random: Random, depth: int = 0) -> object:
    """Make any value at all."""
    makers = [leaf, leaf, tree, signed, deep] if depth < 4 else [leaf]
    return random.choice(makers)(random, depth)


def leaf(random: Random, _depth: int) -> object:
    """Make a value that holds no others, a JSON document perhaps."""
    return random.choice(random.choice(LEAVES))


def tree(random: Random, depth: int) -> object:
    """Make a list or an object of a few values."""
    if random.random() < 0.5:
        return [value(random, depth + 1) for _ in range(random.randrange(4))]
    return {random.choice(KEYS): value(random, depth + 1) for _ in range(random.randrange(4))}


def signed(random: Random, depth: int) -> dict[str, object]:
    """Make an object with a signature, well formed or not."""
    fields: dict[str, object] = {SIGNATURE_KEY: random.choice([*SIGNATURES, None, 1])}
    for key in ("value", "id", "secret", "text"):
        if random.random() < 0.5:
            fields[key] = value(random, depth + 1)
    return fields


def deep(random: Random, _depth: int) -> object:
    """Make something nested deeply."""
    nested: object = "x"
    for _ in range(random.randrange(DEEP)):
        nested = [nested] if random.random() < 0.5 else {random.choice(KEYS): nested}
    return nested


def shaken(case: Case, random: Random) -> Case:
    """Put random values at some places of a case, and mix up what was made from what."""
    changed = {resource.name: resource for resource in case.resources}
    for place in random.sample(found := places(case), k=min(len(found), random.randrange(1, 5))):
        resource = changed[place.resource]
        props = put_if_possible(resource, place.path, value(random))
        changed[place.resource] = replace(resource, props=props)
    if isinstance(case.rule, ResourceRule):
        return replace(case, resources=tuple(changed.values()))
    resources = [tangled(resource, sorted(changed), random) for resource in changed.values()]
    return replace(case, resources=(*resources, ORIGIN))


def put_if_possible(resource: CaseResource, path: tuple[str | int, ...], new: object) -> dict[str, object]:
    """Put a value at a place, unless an earlier one took the place away."""
    try:
        return cast("dict[str, object]", put(resource.props, path, new))
    except (IndexError, TypeError):
        return dict(resource.props)


def tangled(resource: CaseResource, names: list[str], random: Random) -> CaseResource:
    """Give a resource random relations, cycles and strangers included."""
    deps = dict(resource.deps)
    for key in resource.props:
        if random.random() < 0.3:
            deps[key] = random.sample([*names, ORIGIN.name, "no one"], k=random.randrange(1, 3))
    parent = random.choice([*names, "", resource.parent])
    return replace(resource, deps=deps, parent=parent)
