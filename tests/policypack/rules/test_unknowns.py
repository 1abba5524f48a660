"""A property that is unknown is never taken for right, and never waved through as an advisory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import pytest
from pulumi.runtime.proto import analyzer_pb2 as proto

from tap_guardrails.model import ResourceRule
from tap_guardrails.model.stack import ANY_TYPE
from tap_guardrails.serving.analyzer import GuardrailsAnalyzer
from tests.policypack.harness.cases import RULES, Case, cases, each_rule
from tests.policypack.harness.findings import asked_alone, on_the_wire, purely
from tests.policypack.harness.injection import Place, places, with_unknown, with_value
from tests.policypack.harness.pack import analyze_request, stack_request
from tests.policypack.harness.trees import struct

if TYPE_CHECKING:
    import grpc

    from tap_guardrails.model import Rule

# The cases themselves are counted where they are evaluated as they are.
pytestmark = pytest.mark.uncounted
CONTEXT = cast("grpc.ServicerContext", None)
SUBSTITUTES: list[object] = [None, "", "x", True, False, 0, 1, 1e9, [], ["x"], {}, {"x": "x"}]

LEGAL: list[tuple[re.Pattern[str], list[object]]] = [
    (re.compile(r"alarmActions\.\d+"), ["arn:aws:ssm-incidents::123456789012:response-plan/outage"]),
    (re.compile(r"(.*\.)?dimensions\.(\w+|\d+\.value)"), ["fn", "x"]),
    (re.compile(r"(.*\.)?redrivePolicy"), ['{"deadLetterTargetArn": "arn:aws:sqs:eu-west-2:1:tap-dlq"}']),
    (re.compile(r"endpoint"), ["oncall@tap.dev"]),
    (re.compile(r"timeout"), [1, 3, 900]),
    (re.compile(r".*Statement(\.\d+)?\.Effect"), ["Allow", "Deny"]),
    (re.compile(r".*Statement(\.\d+)?\.Resource"), ["*", "arn:aws:s3:::x", ["*", "arn:aws:s3:::x/*"]]),
]
"""Places where AWS takes only some values, and an unknown will turn out to be one of those."""


def unneeded(case: Case, place: Place) -> bool:
    """Whether no value at a place makes the case anything but compliant, so that it need not be known."""
    path = ".".join(map(str, place.path))
    values = next((legal for pattern, legal in LEGAL if pattern.fullmatch(path)), SUBSTITUTES)
    answers = [purely(with_value(case, place, value)) for value in values]
    return not any(answer.findings or answer.reason for answer in answers)


def compliant(rule: Rule) -> list[Case]:
    return [
        case
        for case in cases(rule)
        if case.compliant and all(resource.inputs is None for resource in case.resources)
    ]


def policy(case: Case) -> GuardrailsAnalyzer:
    """The servicer with the case's policy alone, but for one whose answer others have a part in."""
    servicer = GuardrailsAnalyzer(tuple(RULES.values()) if ANY_TYPE in case.rule.types else (case.rule,))
    request = proto.ConfigureAnalyzerRequest()
    request.policyConfig[case.rule.name].enforcementLevel = proto.MANDATORY
    request.policyConfig[case.rule.name].properties.CopyFrom(struct(case.config))
    servicer.Configure(request, CONTEXT)
    return servicer


@each_rule
def test_an_unknown_is_compliant_only_where_no_value_matters_and_blocks_elsewhere(rule: Rule) -> None:
    """Both of one answer: what is found at the level of the policy, and what is silently compliant."""
    for case in compliant(rule):
        servicer = policy(case)
        for place in places(case):
            changed = with_unknown(case, place)
            answer = purely(changed)
            where = f"{case.name}: {place}"
            if not answer.findings and answer.reason is None:
                assert unneeded(case, place), f"{where} unknown is silently compliant"
            of_resources = isinstance(rule, ResourceRule)
            asked = asked_alone(changed)
            if not case.in_stack:
                asked = changed.resources[:of_resources]
            responses = [servicer.Analyze(analyze_request(one), CONTEXT) for one in asked]
            if case.in_stack or not of_resources:
                responses.append(servicer.AnalyzeStack(stack_request(changed.resources), CONTEXT))
            every = [one for response in responses for one in response.diagnostics]
            mine = [one for one in every if one.policyName == rule.name]
            assert {one.enforcementLevel for one in mine} <= {proto.MANDATORY}, where
            assert all(one.urn for one in mine), where
            found = [one for response in responses for one in on_the_wire(changed, response).findings]
            assert len(found) == len(answer.findings), where
