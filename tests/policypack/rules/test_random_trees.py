"""Whatever property tree comes: a verdict in its form, no failure of a rule, no error of the protocol."""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tap_guardrails.model import ResourceRule
from tests.policypack.harness.cases import RULES, cases
from tests.policypack.harness.findings import Answer, on_the_wire, purely
from tests.policypack.harness.randomness import shaken

if TYPE_CHECKING:
    from tests.policypack.harness.pack import Pack

TREES = 50
SEEDS = 40 if os.environ.get("CI") else 6
"""Trees a seed, and seeds a rule: 2,000 trees a rule in CI; a failing seed tells all of its trees."""

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
def test_a_rule_judges_any_tree(name: str, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - no secret is made of it
    fixtures = list(cases(RULES[name]))
    for _ in range(TREES):
        assert well_formed(purely(shaken(random.choice(fixtures), random)))


@pytest.mark.parametrize("name", sorted(RULES))
@settings(parent=quick, max_examples=4)
@given(seed=st.integers(0, 2**32))
def test_the_pack_answers_any_tree(name: str, seed: int, pack: Pack) -> None:
    random = Random(seed)  # noqa: S311 - no secret is made of it
    fixtures = list(cases(RULES[name]))
    for _ in range(TREES):
        case = shaken(random.choice(fixtures), random)
        alone = isinstance(case.rule, ResourceRule)
        response = pack.analyze(case.resources[0]) if alone else pack.analyze_stack(case.resources)
        assert well_formed(on_the_wire(case, response))
