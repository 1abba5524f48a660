"""Every case of every rule: through the rule's function, and through the running pack."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tap_guardrails.assembly import RULES_FOLDER
from tests.policypack.harness.cases import RULES, cases, each_rule
from tests.policypack.harness.findings import mismatches, over_the_protocol, purely

if TYPE_CHECKING:
    from tap_guardrails.model import Rule
    from tests.policypack.harness.pack import Pack

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


@each_rule
def test_each_case_purely(rule: Rule) -> None:
    assert {case.name: wrong for case in cases(rule) if (wrong := [*mismatches(case, purely(case))])} == {}


@each_rule
def test_each_case_over_the_protocol(rule: Rule, pack: Pack) -> None:
    wrong: dict[str, list[str]] = {}
    for case in cases(rule):
        pack.configure(rule.name, case.config)
        wrong[case.name] = [*mismatches(case, over_the_protocol(case, pack))]
    assert {name: said for name, said in wrong.items() if said} == {}


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_has_enough_cases_each_with_a_name_of_its_own(name: str) -> None:
    names = Counter(case.name for case in cases(RULES[name]))
    assert names.total() >= (MISSION_CASES if name in MISSION else OTHER_CASES)
    assert not [name for name, count in names.items() if count > 1]
    assert any(case.compliant for case in cases(RULES[name]))


def test_every_file_of_cases_has_its_rule() -> None:
    stems = {path.name.removesuffix(".cases.yaml") for path in RULES_FOLDER.glob("*.cases.yaml")}
    assert stems == {name.replace("-", "_") for name in RULES}
