"""A secret is read, and never shown: not in what was found, nor anywhere else in a message."""

from __future__ import annotations

import os

import pytest

from tests.policypack.harness.cases import RULES, Case, cases
from tests.policypack.harness.findings import purely
from tests.policypack.harness.injection import Place, places, with_value
from tests.policypack.harness.trees import secret

# The cases themselves are counted where they are evaluated as they are.
pytestmark = pytest.mark.uncounted
TEXT, NUMBER = "zq-5ecret-zq", 775533.25
VALUES: list[object] = [TEXT, NUMBER, {TEXT: [TEXT]}]
EVERY = bool(os.environ.get("CI"))
"""Whether each is put at each place, as in CI, or one after the other."""
SHOWN = ("5ecret", "775533", "77553")

CASES = [case for rule in RULES.values() for case in cases(rule)]


def with_secret(case: Case, place: Place, value: object) -> Case:
    return with_value(case, place, secret(value))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.identity)
def test_a_secret_is_never_shown(case: Case) -> None:
    for number, place in enumerate(places(case)):
        for value in VALUES if EVERY else [VALUES[number % len(VALUES)]]:
            for finding in purely(with_secret(case, place, value)).findings:
                assert not any(part in finding.text for part in SHOWN), f"{place}: {finding.text}"
