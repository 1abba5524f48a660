"""Whatever property tree comes: a verdict in its form, no failure of a rule, no error of the protocol."""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tap_guardrails.model import ResourceRule
from tests.policypack.harness.cases import RULES, cases
from tests.policypack.harness.findings import Answer, on_the_wire
from tests.policypack.harness.randomness import shaken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.policypack.harness.cases import Case, CaseResource
    from tests.policypack.harness.pack import Pack

TREES = 50
MEASURED = settings.get_current_profile_name() == "coverage"
SEEDS = 2 if MEASURED else 40 if os.environ.get("CI") else 4
"""Trees a seed, and seeds a rule: 2,000 trees a rule in CI, unless coverage is measured."""

quick = settings(
    max_examples=SEEDS,
    database=None,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def well_formed(answer: Answer) -> bool:
    return all(
        finding.verdict in {"violation", "undecided"} and finding.property for finding in answer.findings
    )


@pytest.mark.parametrize("name", sorted(RULES))
@quick
@given(seed=st.integers(0, 2**32))
def test_the_pack_answers_any_tree(name: str, seed: int, pack: Pack) -> None:
    """Each of a resource rule's by itself; those of a stack rule side by side, in one stack of any shape."""
    random = Random(seed)  # noqa: S311 - no secret is made of it
    fixtures = list(cases(RULES[name]))
    trees = [shaken(random.choice(fixtures), random) for _ in range(TREES)]
    if isinstance(RULES[name], ResourceRule):
        answers = [(case, pack.analyze(case.resources[0])) for case in trees]
    else:
        answers = [(trees[0], pack.analyze_stack(side_by_side(trees)))]
    for case, response in answers:
        assert well_formed(on_the_wire(case, response))


def side_by_side(trees: Sequence[Case]) -> list[CaseResource]:
    """Put the resources of several cases into one stack, each among its own."""
    return [
        replace(
            resource,
            name=f"{resource.name}-{number}",
            parent=f"{resource.parent}-{number}" if resource.parent else "",
            deps={key: [f"{name}-{number}" for name in names] for key, names in resource.deps.items()},
        )
        for number, case in enumerate(trees)
        for resource in case.resources
    ]
