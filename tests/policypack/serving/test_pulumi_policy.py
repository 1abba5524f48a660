"""What the pack takes from pulumi-policy and from the protocol; an update that changes it shows here."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

import pulumi_policy.policy
import pulumi_policy.proxy
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerServicer
from pulumi_policy import EnforcementLevel
from pulumi_policy.deserialize import (
    SPECIAL_ARCHIVE_SIG,
    SPECIAL_ASSET_SIG,
    SPECIAL_SECRET_SIG,
    SPECIAL_SIG_KEY,
)

from tap_guardrails import PACK_NAME, PACK_VERSION
from tap_guardrails.assembly import policies
from tap_guardrails.model import ResourceRule, values
from tap_guardrails.serving import analyzer
from tap_guardrails.serving.analyzer import GuardrailsAnalyzer
from tests.policypack.harness.adapter import runnable_policies
from tests.policypack.harness.cases import Case, all_cases
from tests.policypack.harness.findings import on_the_wire
from tests.policypack.harness.pack import analyze_request, stack_request

if TYPE_CHECKING:
    from collections.abc import Callable


THEIR_SERVICER = cast("Callable[..., Any]", vars(pulumi_policy.policy)["_PolicyAnalyzerServicer"])
POLICIES = policies()
RUNNABLE = runnable_policies()
MARKS_ASKED_FOR = {"no-plaintext-secrets", "no-unseen-resources", "waiver-in-force"}
OURS = GuardrailsAnalyzer(POLICIES, reconfigurable=True)


def theirs() -> Any:  # noqa: ANN401 - a class that pulumi-policy keeps to itself
    return THEIR_SERVICER(
        PACK_NAME,
        PACK_VERSION,
        RUNNABLE,
        EnforcementLevel.MANDATORY,
        description=analyzer.DESCRIPTION,
        display_name=analyzer.DISPLAY_NAME,
        provider="aws",
        tags=["aws", "serverless"],
    )


def test_the_version_is_the_one_that_was_looked_at() -> None:
    assert version("pulumi-policy").split(".")[:2] == ["1", "21"], (
        "pulumi-policy has changed: compare its servicer with serving/analyzer.py, then raise this"
    )


def test_the_protocol_has_the_calls_that_the_pack_answers() -> None:
    calls = {name for name, _ in inspect.getmembers(AnalyzerServicer, inspect.isfunction)}
    answered = {name for name in vars(GuardrailsAnalyzer) if name[0].isupper()}
    assert calls - answered == {"Handshake", "Cancel"}, (
        "the pack leaves unimplemented what pulumi-policy does"
    )
    theirs_answered = {name for name in vars(THEIR_SERVICER) if name[0].isupper()}
    assert theirs_answered - {"IntermediateStackResource"} == answered


def test_the_marks_of_the_protocol_are_theirs() -> None:
    unknowns = {value for name, value in vars(pulumi_policy.proxy).items() if name.startswith("UNKNOWN_")}
    assert unknowns == values.UNKNOWN_MARKS
    assert SPECIAL_SIG_KEY == values.SIGNATURE_KEY
    assert SPECIAL_SECRET_SIG == values.SECRET_SIGNATURE
    assert {SPECIAL_ASSET_SIG, SPECIAL_ARCHIVE_SIG} < values.OPAQUE_SIGNATURES.keys()


def test_both_servicers_tell_the_same_of_the_pack() -> None:
    assert OURS.GetAnalyzerInfo(Empty(), cast("Any", None)) == theirs().GetAnalyzerInfo(Empty(), None)


@pytest.mark.uncounted
@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.identity)
def test_both_servicers_evaluate_alike(case: Case) -> None:
    """Their servicer finds what ours does, under its own decoding; found values are not shown."""
    given = str(case.resources)
    closed = values.CLOSED_SECRET in given
    if values.SECRET_SIGNATURE in given and (case.rule.name in MARKS_ASKED_FOR or closed):
        pytest.skip("the rule asks for the marks of secrets, which pulumi-policy takes away")
    request = proto.ConfigureAnalyzerRequest()
    request.policyConfig[case.rule.name].enforcementLevel = proto.MANDATORY
    request.policyConfig[case.rule.name].properties.update(cast("dict[str, Any]", dict(case.config)))
    unmodified = theirs()
    unmodified.Configure(request, None)
    OURS.Configure(request, cast("Any", None))
    if isinstance(case.rule, ResourceRule):
        message = analyze_request(case.resources[0])
        mine, yours = OURS.Analyze(message, cast("Any", None)), unmodified.Analyze(message, None)
    else:
        stack = stack_request(case.resources)
        mine, yours = OURS.AnalyzeStack(stack, cast("Any", None)), unmodified.AnalyzeStack(stack, None)
    ours, others = on_the_wire(case, mine), on_the_wire(case, yours)
    assert (ours.reason is None) == (others.reason is None)
    assert len(ours.findings) == len(others.findings)
    verdicts = sorted((one.urn, one.text.rsplit("\n", 1)[-1]) for one in ours.findings)
    assert verdicts == sorted((one.urn, one.text.rsplit("\n", 1)[-1]) for one in others.findings)
