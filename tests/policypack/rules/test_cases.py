"""Every case of every rule: through the rule's function, and through the running pack."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tap_guardrails.assembly import RULES_FOLDER
from tests.policypack.harness.cases import RULES, Case, all_cases, cases
from tests.policypack.harness.findings import mismatches, over_the_protocol, purely

if TYPE_CHECKING:
    from tests.policypack.harness.pack import Pack

CASES = all_cases()
MISSION = {
    "kms-key-rotation",
    "dynamodb-point-in-time-recovery",
    "lambda-xray-tracing",
    "log-group-retention",
    "lambda-log-group",
    "lambda-error-alarm",
    "dynamodb-throttle-alarm",
    "dead-letter-queue-alarm",
    "alarm-effective",
}
MISSION_CASES, OTHER_CASES = 12, 5

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.identity)


@each_case
def test_a_case_purely(case: Case) -> None:
    assert not list(mismatches(case, purely(case)))


@each_case
def test_a_case_over_the_protocol(case: Case, pack: Pack) -> None:
    pack.configure(case.rule.name, case.config)
    assert not list(mismatches(case, over_the_protocol(case, pack)))


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_has_enough_cases_each_with_a_name_of_its_own(name: str) -> None:
    names = Counter(case.name for case in cases(RULES[name]))
    assert names.total() >= (MISSION_CASES if name in MISSION else OTHER_CASES)
    assert not [name for name, count in names.items() if count > 1]
    assert any(case.compliant for case in cases(RULES[name]))


def test_every_file_of_cases_has_its_rule() -> None:
    stems = {path.name.removesuffix(".cases.yaml") for path in RULES_FOLDER.glob("*.cases.yaml")}
    assert stems == {name.replace("-", "_") for name in RULES}
