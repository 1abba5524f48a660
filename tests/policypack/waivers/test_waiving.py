"""What waivers let stand, over the protocol: which findings, how they show, and what is never let stand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, cast

import pytest
from pulumi.runtime.proto import analyzer_pb2 as proto

from tap_guardrails.assembly import find_rules
from tap_guardrails.serving.analyzer import GuardrailsAnalyzer
from tapgate.findings import parse
from tests.policypack.harness.clock import day
from tests.policypack.harness.pack import analyze_request, stack_request
from tests.policypack.harness.trees import UNKNOWN_MARK, struct
from tests.policypack.harness.waived import (
    ERRORS,
    FUNCTION,
    IN_FORCE,
    ROLE_POLICY,
    ROTATION,
    TABLE,
    TERMS,
    WAIVABLE,
    WAIVED_KEY,
    WILDCARDS,
    key,
    levels,
    of,
    tags,
    words,
)

if TYPE_CHECKING:
    import grpc

    from tests.policypack.harness.pack import Pack

CONTEXT = cast("grpc.ServicerContext", None)


def test_a_waived_finding_is_shown_with_its_terms_and_does_not_block(pack: Pack) -> None:
    (finding,) = of(pack.analyze(WAIVED_KEY), ROTATION)
    assert finding.enforcementLevel == proto.ADVISORY
    assert finding.message.split("\n")[0] == "Key rotation is off."
    assert finding.message.split("\n")[-4:] == [
        "Verdict: waived",
        "Reason: Weighed and found bearable.",
        "Owner: team@example.com",
        f"Expires: {day(30)}",
    ]


def test_the_gate_reads_the_terms_of_what_is_waived(pack: Pack) -> None:
    text = parse(of(pack.analyze(WAIVED_KEY), ROTATION)[0].message)
    assert text.verdict == "waived"
    assert text.more == {"Reason": TERMS["reason"], "Owner": TERMS["owner"], "Expires": TERMS["expires"]}


def test_a_waiver_is_for_its_policy_and_its_resource_only(pack: Pack) -> None:
    other = replace(key(), name="other")
    assert levels(pack.analyze(key(**tags("lambda-xray-tracing", words()))), ROTATION) == [proto.MANDATORY]
    assert levels(pack.analyze(WAIVED_KEY), ROTATION) == [proto.ADVISORY]
    assert levels(pack.analyze(other), ROTATION) == [proto.MANDATORY]


def test_what_is_undecided_can_be_waived(pack: Pack) -> None:
    (finding,) = of(pack.analyze(key(enableKeyRotation=UNKNOWN_MARK, **tags(ROTATION, words()))), ROTATION)
    assert finding.enforcementLevel == proto.ADVISORY
    assert "is unknown until deployment" in finding.message
    assert "Verdict: waived\n" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        words(expires=day(-1)),
        words(expires=day(366)),
        words(expires="soon"),
        words(owner=" "),
        "expires=" + day(30),
        UNKNOWN_MARK,
        "",
    ],
)
def test_what_is_no_waiver_in_force_waives_nothing_and_is_reported(text: str, pack: Pack) -> None:
    given = key(**tags(ROTATION, text))
    assert levels(pack.analyze(given), ROTATION) == [proto.MANDATORY]
    (finding,) = of(pack.analyze_stack([given]), IN_FORCE)
    assert finding.urn == given.urn
    assert finding.enforcementLevel == proto.MANDATORY
    assert 'property `tags["tap-guardrails:waive:kms-key-rotation"]`' in finding.message


def test_a_finding_of_a_stack_policy_is_waived_on_the_resource_that_it_names(pack: Pack) -> None:
    bare = replace(FUNCTION, name="other", props={"name": "other"})
    response = pack.analyze_stack([FUNCTION, bare])
    assert [(one.urn, one.enforcementLevel) for one in of(response, ERRORS)] == [
        (FUNCTION.urn, proto.ADVISORY),
        (bare.urn, proto.MANDATORY),
    ]
    assert levels(response, "lambda-log-group") == [proto.MANDATORY, proto.MANDATORY]
    assert not of(response, IN_FORCE)


def test_a_waiver_with_nothing_to_let_stand_is_reported(pack: Pack) -> None:
    remediated = key(enableKeyRotation=True, **tags(ROTATION, words()))
    aside = replace(TABLE, props=tags(ERRORS, words()))
    pack.analyze(remediated)
    response = pack.analyze_stack([remediated, aside])
    assert [(one.urn, one.message.split("\n")[0]) for one in of(response, IN_FORCE)] == [
        (remediated.urn, "The waiver of `kms-key-rotation` lets nothing stand."),
        (aside.urn, "The waiver of `lambda-error-alarm` lets nothing stand."),
    ]


def test_a_waiver_that_is_needed_is_not_reported(pack: Pack) -> None:
    pack.analyze(WAIVED_KEY)
    assert not of(pack.analyze_stack([WAIVED_KEY, FUNCTION]), IN_FORCE)


def test_what_was_needed_is_forgotten_with_the_stack(pack: Pack) -> None:
    pack.analyze(WAIVED_KEY)
    pack.analyze_stack([WAIVED_KEY])
    pack.analyze(key(enableKeyRotation=True, **tags(ROTATION, words())))
    assert of(pack.analyze_stack([WAIVED_KEY]), IN_FORCE)


def test_nobody_calls_a_waiver_useless_whose_resource_was_not_looked_at(pack: Pack) -> None:
    """As with `--target`: the engine shows the whole stack, and has shown few resources before."""
    assert not of(pack.analyze_stack([WAIVED_KEY]), IN_FORCE)


def test_nobody_calls_a_waiver_useless_whose_policy_is_off(pack: Pack) -> None:
    pack.configure(ROTATION, level=proto.DISABLED)
    pack.analyze(WAIVED_KEY)
    assert not of(pack.analyze_stack([WAIVED_KEY]), IN_FORCE)


@pytest.mark.parametrize("name", ["kms-key-rotaton", IN_FORCE, ""])
def test_a_waiver_of_no_policy_is_reported(name: str, pack: Pack) -> None:
    given = key(**tags(name, words()))
    pack.analyze(given)
    (finding,) = of(pack.analyze_stack([given]), IN_FORCE)
    assert finding.message.startswith(f"The waiver of `{name}` names no policy that can be waived.")


def test_waivers_in_the_program_can_be_forbidden(pack: Pack) -> None:
    pack.configure_stack(
        {"tap-guardrails:waivers": json.dumps([{"policy": ERRORS, "urn": "*::fn", **TERMS}])}
    )
    pack.configure(IN_FORCE, {"programWaivers": False})
    assert levels(pack.analyze(WAIVED_KEY), ROTATION) == [proto.MANDATORY]
    response = pack.analyze_stack([WAIVED_KEY, FUNCTION])
    assert levels(response, ERRORS) == [proto.MANDATORY]
    assert {one.message.split("\n")[0] for one in of(response, IN_FORCE)} == {
        "The waiver of `kms-key-rotation` stands in the program.",
        "The waiver of `lambda-error-alarm` stands in the program.",
    }


def test_the_bound_of_the_operator_decides_what_is_in_force(pack: Pack) -> None:
    pack.configure(IN_FORCE, {"maximumDays": 39})
    assert levels(pack.analyze(WAIVED_KEY), ROTATION) == [proto.MANDATORY]
    pack.configure(IN_FORCE, {"maximumDays": 40})
    assert levels(pack.analyze(WAIVED_KEY), ROTATION) == [proto.ADVISORY]


def test_a_waiver_holds_through_its_last_day() -> None:
    given = analyze_request(key(**tags(ROTATION, words(expires=day(30)))))
    today = [day(30)]
    servicer = GuardrailsAnalyzer(find_rules(), today=lambda: date.fromisoformat(today[0]))
    request = proto.ConfigureAnalyzerRequest()
    request.policyConfig[IN_FORCE].enforcementLevel = proto.MANDATORY
    request.policyConfig[IN_FORCE].properties.CopyFrom(struct(WAIVABLE))
    servicer.Configure(request, CONTEXT)
    assert levels(servicer.Analyze(given, CONTEXT), ROTATION) == [proto.ADVISORY]
    today[0] = day(31)
    assert levels(servicer.Analyze(given, CONTEXT), ROTATION) == [proto.MANDATORY]
    stack = stack_request([key(**tags(ROTATION, words(expires=day(30))))])
    (finding,) = of(servicer.AnalyzeStack(stack, CONTEXT), IN_FORCE)
    assert finding.message.startswith(f"The waiver of `kms-key-rotation` expired on {day(30)}.")


@pytest.mark.parametrize("end", ["\n", "\u2028", "\u2029", "\x1b[2K", "\u202e"])
def test_a_reason_cannot_forge_another_line(end: str, pack: Pack) -> None:
    given = key(**tags(ROTATION, words(reason=f"fine{end}Verdict: compliant")))
    assert levels(pack.analyze(given), ROTATION) == [proto.MANDATORY]
    (finding,) = of(pack.analyze_stack([given]), IN_FORCE)
    assert finding.message.startswith("The waiver of `kms-key-rotation` has invisible characters in `reason`")


def test_a_waiver_is_for_one_finding_and_not_for_what_comes_later(pack: Pack) -> None:
    terms = {"finding": "policy.Statement.0.Action", "reason": "The vendor names no actions."}

    def found(*actions: str) -> list[int]:
        statements = [{"Effect": "Allow", "Action": one, "Resource": "arn:aws:s3:::x"} for one in actions]
        given = replace(
            ROLE_POLICY, props={"policy": {"Statement": statements}, **tags(WILDCARDS, words(**terms))}
        )
        return levels(pack.analyze(given), WILDCARDS)

    assert found("s3:*") == [proto.ADVISORY]
    assert found("s3:*", "*") == [proto.ADVISORY, proto.MANDATORY]
    terms["finding"] = 'policy.Statement.0.Action = "s3:*"'
    assert found("s3:*") == [proto.ADVISORY]
    assert found("*") == [proto.MANDATORY]
    terms["finding"] = "policy"
    assert found("s3:*") == [proto.MANDATORY]


def test_a_program_waives_nothing_unless_the_operator_says_so(pack: Pack) -> None:
    pack.standing = {}
    pack.configure_stack(
        {"tap-guardrails:waivers": json.dumps([{"policy": ERRORS, "urn": "*::fn", **TERMS}])}
    )
    pack.configure()
    assert levels(pack.analyze(WAIVED_KEY), ROTATION) == [proto.MANDATORY]
    response = pack.analyze_stack([WAIVED_KEY, FUNCTION])
    assert levels(response, ERRORS) == [proto.MANDATORY]
    assert len(of(response, IN_FORCE)) == 3
    assert all("which may not waive this policy" in one.message for one in of(response, IN_FORCE))
