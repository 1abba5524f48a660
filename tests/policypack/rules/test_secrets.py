"""A secret is read, and never shown: not in what was found, nor anywhere else in a message."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.policypack.harness.cases import Case, cases, each_rule
from tests.policypack.harness.findings import purely
from tests.policypack.harness.injection import Place, places, with_value
from tests.policypack.harness.trees import secret

if TYPE_CHECKING:
    from tap_guardrails.model import Rule

# The cases themselves are counted where they are evaluated as they are.
pytestmark = pytest.mark.uncounted
TEXT, NUMBER = "zq-5ecret-zq", 775533.25
VALUES: list[object] = [TEXT, NUMBER, {TEXT: [TEXT]}]
EVERY = bool(os.environ.get("CI"))
"""Whether each is put at each place, as in CI, or one after the other."""
SHOWN = ("5ecret", "775533", "77553")


def with_secret(case: Case, place: Place, value: object) -> Case:
    return with_value(case, place, secret(value))


@each_rule
def test_a_secret_is_never_shown(rule: Rule) -> None:
    for case in cases(rule):
        for number, place in enumerate(places(case)):
            for value in VALUES if EVERY else [VALUES[number % len(VALUES)]]:
                for finding in purely(with_secret(case, place, value)).findings:
                    shown = any(part in finding.text for part in SHOWN)
                    assert not shown, f"{case.name}: {place}: {finding.text}"
