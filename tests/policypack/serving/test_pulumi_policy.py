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
from tap_guardrails.assembly import find_rules
from tap_guardrails.model import ResourceRule, values
from tap_guardrails.model.stack import ANY_TYPE
from tap_guardrails.serving import analyzer
from tap_guardrails.serving.analyzer import GuardrailsAnalyzer
from tests.policypack.harness.adapter import runnable_policies, runnable_policy
from tests.policypack.harness.cases import cases, each_rule
from tests.policypack.harness.findings import on_the_wire
from tests.policypack.harness.pack import analyze_request, stack_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_guardrails.model import Rule

THEIR_SERVICER = cast("Callable[..., Any]", vars(pulumi_policy.policy)["_PolicyAnalyzerServicer"])
POLICIES = find_rules()
RUNNABLE = runnable_policies()
MARKS_ASKED_FOR = {"no-plaintext-secrets", "no-unseen-resources", "waiver-in-force"}
LEFT_OUT = MARKS_ASKED_FOR | {"kms-key-rotation", "sqs-encryption"}
"""Rules of which some cases show secrets to them, whose marks pulumi-policy takes away."""
OURS = GuardrailsAnalyzer(POLICIES, reconfigurable=True)


def theirs(*rules: Rule) -> Any:  # noqa: ANN401 - a class that pulumi-policy keeps to itself
    """Their servicer, of some policies or all."""
    return THEIR_SERVICER(
        PACK_NAME,
        PACK_VERSION,
        [runnable_policy(one) for one in rules] or RUNNABLE,
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
@each_rule
def test_both_servicers_evaluate_alike(rule: Rule) -> None:
    """Their servicer finds what ours does, under its own decoding; found values are not shown."""
    every, left_out = list(cases(rule)), 0
    # What one policy says others have no part in, but for those that look at every resource.
    own = OURS if ANY_TYPE in rule.types else GuardrailsAnalyzer((rule,), reconfigurable=True)
    for case in every:
        given = str(case.resources)
        closed = values.CLOSED_SECRET in given
        if values.SECRET_SIGNATURE in given and (rule.name in MARKS_ASKED_FOR or closed):
            left_out += 1
            continue
        request = proto.ConfigureAnalyzerRequest()
        request.policyConfig[rule.name].enforcementLevel = proto.MANDATORY
        request.policyConfig[rule.name].properties.update(cast("dict[str, Any]", dict(case.config)))
        unmodified = theirs(rule)
        unmodified.Configure(request, None)
        own.Configure(request, cast("Any", None))
        if isinstance(rule, ResourceRule):
            message = analyze_request(case.resources[0])
            mine, yours = own.Analyze(message, cast("Any", None)), unmodified.Analyze(message, None)
        else:
            stack = stack_request(case.resources)
            mine, yours = own.AnalyzeStack(stack, cast("Any", None)), unmodified.AnalyzeStack(stack, None)
        ours, others = on_the_wire(case, mine), on_the_wire(case, yours)
        assert (ours.reason is None) == (others.reason is None), case.name
        assert len(ours.findings) == len(others.findings), case.name
        verdicts = sorted((one.urn, one.text.rsplit("\n", 1)[-1]) for one in ours.findings)
        theirs_say = sorted((one.urn, one.text.rsplit("\n", 1)[-1]) for one in others.findings)
        assert verdicts == theirs_say, case.name
    assert (0 < left_out < len(every)) if rule.name in LEFT_OUT else not left_out
