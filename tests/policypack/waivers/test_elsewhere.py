"""Waivers where the rules run under pulumi-policy's own servicer: the policies' own hold, and still show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pulumi_policy.policy
import pytest
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi_policy import EnforcementLevel

from tap_guardrails.assembly import policies
from tests.policypack.harness.pack import analyze_request, stack_request
from tests.policypack.harness.trees import day, struct
from tests.policypack.harness.waived import ERRORS, FUNCTION, ROTATION, TERMS, WAIVED_KEY, key, levels

if TYPE_CHECKING:
    from collections.abc import Callable

SERVICER = cast("Callable[..., Any]", vars(pulumi_policy.policy)["_PolicyAnalyzerServicer"])
SAID = f"Waived by team@example.com until {TERMS['expires']}: Weighed and found bearable."


def configured(**waivers: dict[str, str]) -> Any:  # noqa: ANN401 - a class that pulumi-policy keeps to itself
    servicer = SERVICER("x", "1", [made.policy for made in policies()], EnforcementLevel.MANDATORY)
    request = proto.ConfigureAnalyzerRequest()
    for name, entry in waivers.items():
        request.policyConfig[name].enforcementLevel = proto.MANDATORY
        request.policyConfig[name].properties.CopyFrom(struct({"waivers": [entry]}))
    servicer.Configure(request, None)
    return servicer


def reason(response: proto.AnalyzeResponse, name: str) -> str:
    return next((one.reason for one in response.not_applicable if one.policy_name == name), "")


def test_what_the_configuration_of_a_policy_waives_is_told_as_not_applicable() -> None:
    servicer = configured(**{ROTATION: {"urn": "*::key", **TERMS}, ERRORS: {"urn": "*::fn", **TERMS}})
    alone = servicer.Analyze(analyze_request(key()), None)
    together = servicer.AnalyzeStack(stack_request([FUNCTION]), None)
    for response, name in ((alone, ROTATION), (together, ERRORS)):
        assert not levels(response, name)
        assert reason(response, name) == SAID


@pytest.mark.parametrize("changes", [{"urn": "*::other"}, {"expires": day(-1)}])
def test_what_no_waiver_in_force_covers_is_reported(changes: dict[str, str]) -> None:
    servicer = configured(**{ROTATION: {"urn": "*::key", **TERMS, **changes}})
    assert levels(servicer.Analyze(analyze_request(key()), None), ROTATION) == [proto.MANDATORY]


def test_beside_a_finding_that_is_not_waived_a_waived_one_is_passed_over() -> None:
    other = FUNCTION.__class__("other", FUNCTION.type, {"name": "other"})
    servicer = configured(**{ERRORS: {"urn": "*::fn", **TERMS}})
    response = servicer.AnalyzeStack(stack_request([FUNCTION, other]), None)
    assert [one.urn for one in response.diagnostics if one.policyName == ERRORS] == [other.urn]


def test_tags_waive_nothing_there() -> None:
    assert levels(configured().Analyze(analyze_request(WAIVED_KEY), None), ROTATION) == [proto.MANDATORY]
