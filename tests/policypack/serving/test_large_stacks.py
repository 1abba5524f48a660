"""Stacks beyond what anybody has: ten thousand resources that depend on each other in circles, huge values.

What takes time for every pair of resources does not come back before the call's deadline.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tap_guardrails.assembly import find_rules
from tests.bench.stacks import synthetic_stack
from tests.policypack.harness.cases import CaseResource
from tests.policypack.harness.trees import UNKNOWN_MARK, secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi.runtime.proto.analyzer_pb2 import AnalyzeResponse as Response

    from tests.policypack.harness.pack import Pack

pytestmark = pytest.mark.uncounted
SIZE = 10_000
NAMES = ("name", "dimensions", "redrivePolicy", "deadLetterConfig", "loggingConfig", "functionName")


def circle(resources: list[CaseResource]) -> list[CaseResource]:
    """Make every resource depend on the next, and every component the child of the next one."""
    components = [one.name for one in resources if one.is_component]
    following = dict(zip(components, [*components[1:], components[0]], strict=True))
    return [
        replace(
            one,
            deps={name: [resources[(position + 1) % len(resources)].name] for name in one.props},
            parent=following.get(one.name, components[position % len(components)]),
        )
        for position, one in enumerate(resources)
    ]


def unknown(resource: CaseResource) -> CaseResource:
    """Make everything unknown by which resources refer to each other."""
    changed = {name: UNKNOWN_MARK for name in NAMES if name in resource.props}
    return replace(resource, props={**resource.props, **changed})


def analyzed(pack: Pack, made: Callable[[int], list[CaseResource]]) -> tuple[list[CaseResource], Response]:
    """Make a stack and analyze it; a busy machine has as much longer for it as a tenth of the stack took."""
    began = time.monotonic()
    pack.analyze_stack(made(SIZE // 10))
    resources = made(SIZE)
    return resources, pack.analyze_stack(resources, max(120, 40 * (time.monotonic() - began)))


def test_ten_thousand_resources_in_circles_are_evaluated(pack: Pack) -> None:
    resources, response = analyzed(pack, lambda size: circle([unknown(one) for one in synthetic_stack(size)]))
    functions = {one.urn for one in resources if one.type == "aws:lambda/function:Function"}
    evaluated = {one.urn for one in response.diagnostics if one.policyName == "lambda-error-alarm"}
    assert evaluated == functions
    assert not [one for one in response.diagnostics if one.message.endswith("Verdict: error")]
    said = {one.policyName for one in response.diagnostics} | {
        one.policy_name for one in response.not_applicable
    }
    assert said <= {rule.name for rule in find_rules()}


def test_ten_thousand_resources_of_one_component_are_evaluated(pack: Pack) -> None:
    """As languages record it: what is made from any part of a component depends on the component."""
    team = CaseResource("all", "team:index:Everything")

    def made(size: int) -> list[CaseResource]:
        below = [
            replace(unknown(one), parent=team.name, deps={name: [team.name] for name in one.props})
            for one in synthetic_stack(size)
        ]
        return [team, *below]

    resources, response = analyzed(pack, made)
    functions = {one.urn for one in resources if one.type == "aws:lambda/function:Function"}
    evaluated = {one.urn for one in response.diagnostics if one.policyName == "lambda-error-alarm"}
    assert evaluated == functions
    assert max(len(one.message) for one in response.diagnostics) < 2_000


def test_a_resource_that_is_its_own_parent_and_dependency_is_evaluated(pack: Pack) -> None:
    function = CaseResource(
        "fn", "aws:lambda/function:Function", {"name": UNKNOWN_MARK}, {"name": ["fn"]}, parent="fn"
    )
    component = CaseResource("team", "team:index:Service", {}, {"x": ["team"]}, parent="team")
    response = pack.analyze_stack([function, component])
    assert {one.urn for one in response.diagnostics} == {function.urn}


def test_megabytes_in_a_value_are_evaluated_and_not_repeated(pack: Pack) -> None:
    huge = "x" * 4 * 1024 * 1024
    key = CaseResource("key", "aws:kms/key:Key", {"enableKeyRotation": huge, "description": secret(huge)})
    (finding,) = [one for one in pack.analyze(key).diagnostics if one.policyName == "kms-key-rotation"]
    assert len(finding.message) < 2_000


def test_a_thousand_statements_and_tags_are_evaluated(pack: Pack) -> None:
    statements = [
        {"Effect": "Allow", "Action": f"s3:Get{number}", "Resource": "arn:aws:s3:::x"}
        for number in range(1000)
    ]
    policy = CaseResource("rights", "aws:iam/rolePolicy:RolePolicy", {"policy": {"Statement": statements}})
    assert not pack.analyze(policy).diagnostics
    statements[999]["Action"] = "s3:*"
    (finding,) = pack.analyze(policy).diagnostics
    assert "Statement[999].Action" in finding.message
    tags = {f"tap-guardrails:waive:{number}": "x" * 256 for number in range(1000)}
    tagged = CaseResource("key", "aws:kms/key:Key", {"enableKeyRotation": True, "tags": tags})
    answer = pack.analyze_stack([tagged]).diagnostics
    assert len([one for one in answer if one.policyName == "waiver-in-force"]) == len(tags)
