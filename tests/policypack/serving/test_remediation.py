"""Remediation over the protocol: what is remediated, what is left alone, and that it then passes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import analyzer_pb2 as proto

from tap_guardrails.aws.embedded import CARRIERS
from tap_guardrails.model import Absent, PropertyPatch, ResourceRule
from tap_guardrails.serving.analyzer import GuardrailsAnalyzer
from tap_guardrails.serving.remediation import CannotPutError, put
from tests.policypack.harness.cases import RULES, Case, CaseResource, cases
from tests.policypack.harness.injection import paths, places, with_unknown
from tests.policypack.harness.pack import analyze_request
from tests.policypack.harness.trees import UNKNOWN_MARK, secret, struct
from tests.policypack.harness.waived import TERMS, WAIVED_KEY, levels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import grpc

    from tap_guardrails.model import Outcome, Resource, Settings
    from tests.policypack.harness.pack import Pack

KMS, PITR, TRACING, RETENTION = (
    "kms-key-rotation",
    "dynamodb-point-in-time-recovery",
    "lambda-xray-tracing",
    "log-group-retention",
)
REMEDIATING = [rule for rule in RULES.values() if isinstance(rule, ResourceRule) and rule.remediation]

each_remediating = pytest.mark.parametrize("rule", REMEDIATING, ids=lambda rule: rule.name)


def alone(rule: ResourceRule) -> list[Case]:
    return [case for case in cases(rule) if not case.in_stack]


def remediated(pack: Pack, resource: CaseResource) -> dict[str, object] | None:
    """What the pack makes of a resource's properties, or None when it leaves them alone."""
    answer = pack.remediate(resource).remediations
    assert len(answer) <= 1
    return cast("dict[str, object]", MessageToDict(answer[0].properties)) if answer else None


def configure(pack: Pack, case: Case) -> None:
    pack.configure_stack()
    pack.configure(case.rule.name, case.config, proto.REMEDIATE)


def test_the_policies_with_a_safe_fix_have_one() -> None:
    assert {rule.name for rule in REMEDIATING} == {KMS, PITR, TRACING, RETENTION}


@pytest.mark.parametrize(
    ("name", "resource_type", "props", "result"),
    [
        (KMS, "aws:kms/key:Key", {}, {"enableKeyRotation": True}),
        (KMS, "aws:kms/key:Key", {"enableKeyRotation": "false"}, {"enableKeyRotation": True}),
        (KMS, "aws-native:kms:Key", {"keyPolicy": {}}, {"keyPolicy": {}, "enableKeyRotation": True}),
        (
            KMS,
            "aws:kms/key:Key",
            {"rotationPeriodInDays": 2000},
            {"rotationPeriodInDays": 365, "enableKeyRotation": True},
        ),
        (
            PITR,
            "aws:dynamodb/table:Table",
            {"replicas": [{"regionName": "a"}, {"regionName": "b", "pointInTimeRecovery": False}]},
            {
                "pointInTimeRecovery": {"enabled": True},
                "replicas": [
                    {"regionName": "a", "pointInTimeRecovery": True},
                    {"regionName": "b", "pointInTimeRecovery": True},
                ],
            },
        ),
        (
            PITR,
            "aws:dynamodb/table:Table",
            {"pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 1}},
            {"pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 7}},
        ),
        (PITR, "aws:dynamodb/tableReplica:TableReplica", {}, {"pointInTimeRecovery": True}),
        (
            PITR,
            "aws-native:dynamodb:Table",
            {},
            {"pointInTimeRecoverySpecification": {"pointInTimeRecoveryEnabled": True}},
        ),
        (
            PITR,
            "aws-native:dynamodb:GlobalTable",
            {"replicas": [{"region": "a"}]},
            {
                "replicas": [
                    {
                        "region": "a",
                        "pointInTimeRecoverySpecification": {"pointInTimeRecoveryEnabled": True},
                    }
                ]
            },
        ),
        (
            TRACING,
            "aws:lambda/function:Function",
            {"name": "f"},
            {"name": "f", "tracingConfig": {"mode": "Active"}},
        ),
        (
            TRACING,
            "aws:lambda/function:Function",
            {"tracingConfig": {"mode": "PassThrough"}},
            {"tracingConfig": {"mode": "Active"}},
        ),
        (RETENTION, "aws:cloudwatch/logGroup:LogGroup", {}, {"retentionInDays": 3653}),
        (RETENTION, "aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 0}, {"retentionInDays": 3653}),
        (RETENTION, "aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 15}, {"retentionInDays": 30}),
        (RETENTION, "aws-native:logs:LogGroup", {"retentionInDays": 9999}, {"retentionInDays": 3653}),
    ],
)
def test_what_is_remediated(
    name: str, resource_type: str, props: Mapping[str, object], result: Mapping[str, object], pack: Pack
) -> None:
    pack.configure(name, level=proto.REMEDIATE)
    resource = CaseResource("it", resource_type, props)
    assert remediated(pack, resource) == result
    right = replace(resource, props=result)
    assert not levels(pack.analyze(right), name)
    assert remediated(pack, right) is None


def test_the_answer_names_the_policy(pack: Pack) -> None:
    pack.configure(KMS, level=proto.REMEDIATE)
    (answer,) = pack.remediate(CaseResource("key", "aws:kms/key:Key")).remediations
    assert (answer.policyName, answer.policyPackName, answer.policyPackVersion) == (
        KMS,
        "tap-guardrails",
        "0.1.0",
    )
    assert answer.description == RULES[KMS].description
    assert not answer.diagnostic


@each_remediating
def test_a_case_is_remediated_and_passes_or_is_left_alone_and_blocks(rule: ResourceRule, pack: Pack) -> None:
    for case in alone(rule):
        configure(pack, case)
        (resource,) = case.resources
        properties = remediated(pack, resource)
        fit = bool(case.findings) and all(one.verdict == "violation" for one in case.findings)
        if properties is None:
            assert len(levels(pack.analyze(resource), rule.name)) == len(case.findings), case.name
            continue
        assert fit, f"{case.name}: something undecided, compliant or beyond the rule was changed"
        right = replace(resource, props=properties)
        assert not levels(pack.analyze(right), rule.name), case.name
        assert remediated(pack, right) is None, case.name


BEYOND_REPAIR = {
    "kms-key-rotation: rotation asked of an asymmetric key",
    "kms-key-rotation: rotation asked of a key in a custom key store",
    "dynamodb-point-in-time-recovery: Cloud Control, a global table without regions",
    "dynamodb-point-in-time-recovery: Cloud Control, a global table with an empty list of regions",
    "log-group-retention: negative",
    "log-group-retention: bounds that leave nothing to choose",
}


@each_remediating
def test_what_is_left_alone_is_what_nobody_could_remediate_safely(rule: ResourceRule, pack: Pack) -> None:
    """Every violation is remediated, save values of a wrong type, which need someone to look, and a few."""
    for case in alone(rule):
        if not case.findings or any(one.verdict != "violation" for one in case.findings):
            continue
        configure(pack, case)
        (resource,) = case.resources
        messages = [one.message for one in pack.analyze(resource).diagnostics if one.policyName == rule.name]
        beyond = (
            case.identity in BEYOND_REPAIR
            or resource.type in CARRIERS
            or any("` is not a" in text for text in messages)
        )
        assert (remediated(pack, resource) is None) == beyond, case.name


@each_remediating
def test_no_unknown_is_guessed_or_lost(rule: ResourceRule, pack: Pack) -> None:
    for case in alone(rule):
        configure(pack, case)
        for place in places(case):
            (resource,) = with_unknown(case, place).resources
            properties = remediated(pack, resource)
            if properties is None:
                continue
            where = f"{case.name}: {place}"
            response = pack.analyze(replace(resource, props=properties))
            assert not levels(response, rule.name), f"{where} was changed to no avail"
            assert str(properties).count(UNKNOWN_MARK) == str(resource.props).count(UNKNOWN_MARK), where


@pytest.mark.parametrize(
    ("name", "resource_type", "props", "result"),
    [
        (KMS, "aws:kms/key:Key", {"enableKeyRotation": secret(False)}, {"enableKeyRotation": secret(True)}),  # noqa: FBT003
        (
            TRACING,
            "aws:lambda/function:Function",
            {
                "environment": secret({"variables": {"A": "b"}}),
                "tracingConfig": secret({"mode": "PassThrough"}),
            },
            {"environment": secret({"variables": {"A": "b"}}), "tracingConfig": secret({"mode": "Active"})},
        ),
        (
            PITR,
            "aws:dynamodb/table:Table",
            {"pointInTimeRecovery": {"enabled": True}, "replicas": secret([{"kmsKeyArn": UNKNOWN_MARK}])},
            {
                "pointInTimeRecovery": {"enabled": True},
                "replicas": secret([{"kmsKeyArn": UNKNOWN_MARK, "pointInTimeRecovery": True}]),
            },
        ),
    ],
)
def test_secrets_stay_secrets(
    name: str, resource_type: str, props: Mapping[str, object], result: Mapping[str, object], pack: Pack
) -> None:
    pack.configure(name, level=proto.REMEDIATE)
    assert remediated(pack, CaseResource("it", resource_type, props)) == result


def test_only_what_the_rule_names_is_changed(pack: Pack) -> None:
    asset = {
        "4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7",
        "path": "x.zip",
        "hash": "y",
    }
    props: dict[str, object] = {
        "code": asset,
        "name": UNKNOWN_MARK,
        "timeout": 2.5,
        "layers": [],
        "memory": None,
    }
    pack.configure(TRACING, level=proto.REMEDIATE)
    properties = remediated(pack, CaseResource("fn", "aws:lambda/function:Function", props))
    assert properties == {**props, "tracingConfig": {"mode": "Active"}}
    assert set(paths(properties)) - set(paths(props)) == {("tracingConfig",), ("tracingConfig", "mode")}


def test_what_could_not_be_remediated_blocks(pack: Pack) -> None:
    pack.configure(KMS, level=proto.REMEDIATE)
    for value in (UNKNOWN_MARK, "yes", [True]):
        resource = CaseResource("key", "aws:kms/key:Key", {"enableKeyRotation": value})
        assert remediated(pack, resource) is None
        assert levels(pack.analyze(resource), KMS) == [proto.MANDATORY]


@pytest.mark.parametrize(
    ("properties", "path"),
    [
        ({}, (0,)),
        ({"a": {"4dabf18193072939515e22adb298388d": "another", "value": 1}}, ("a", "b")),
        ({"a": [1]}, ("a", 1)),
        ({"a": 1}, ("a", 0)),
        ({"a": 1}, ("a", "b")),
        ({"a": {}}, ("a",)),
        ({"a": UNKNOWN_MARK}, ("a",)),
    ],
)
def test_what_has_no_place_is_not_put(properties: dict[str, object], path: tuple[str | int, ...]) -> None:
    with pytest.raises(CannotPutError):
        put(struct(properties), PropertyPatch(path, True))  # noqa: FBT003 - the value


def test_what_has_one_is() -> None:
    properties = struct({"a": [None, {"b": "x"}], "c": secret({"d": 1})})
    for path, value in (
        (("a", 0, "e"), True),
        (("a", 1, "b"), "y"),
        (("c", "d"), 2),
    ):
        put(properties, PropertyPatch(path, value))
    assert MessageToDict(properties) == {"a": [{"e": True}, {"b": "y"}], "c": secret({"d": 2.0})}


def only_unless_set(resource: Resource, _settings: Settings) -> Iterator[Outcome]:
    if isinstance(resource.at("b").text(), Absent):
        yield from resource.at("a").boolean().must(bool, problem="It is off.", required="true")


def set_it(_resource: Resource, _settings: Settings) -> Iterator[PropertyPatch]:
    yield PropertyPatch(("b",), "x")


@pytest.mark.parametrize(("value", "remediated"), [(False, True), (UNKNOWN_MARK, False)])
def test_a_repair_never_settles_what_is_undecided(value: object, *, remediated: bool) -> None:
    """Not even one that would make the rule find nothing."""
    rule = ResourceRule(
        name="set-it",
        title="Set",
        description="It is set.",
        why="So.",
        fix="Set it.",
        url="https://x",
        severity="low",
        level="remediate",
        types=("aws:kms/key:Key",),
        check=only_unless_set,
        remediation="Sets it.",
        patches=set_it,
    )
    servicer = GuardrailsAnalyzer([rule])
    request = analyze_request(CaseResource("key", "aws:kms/key:Key", {"a": value}))
    answer = servicer.Remediate(request, cast("grpc.ServicerContext", None))
    assert bool(answer.remediations) == remediated


@pytest.mark.parametrize("level", [proto.MANDATORY, proto.ADVISORY, proto.DISABLED])
def test_at_any_other_level_nothing_is_changed(level: int, pack: Pack) -> None:
    pack.configure(KMS, level=level)
    assert remediated(pack, CaseResource("key", "aws:kms/key:Key")) is None


def test_a_policy_without_a_fix_changes_nothing(pack: Pack) -> None:
    pack.configure("lambda-supported-runtime", level=proto.REMEDIATE)
    function = CaseResource("fn", "aws:lambda/function:Function", {"runtime": "python3.7"})
    assert remediated(pack, function) is None
    assert levels(pack.analyze(function), "lambda-supported-runtime") == [proto.MANDATORY]


def test_what_is_waived_stays_as_it_is(pack: Pack) -> None:
    operators = {"waivers": [{"urn": "*::key", **TERMS}]}
    pack.configure(KMS, operators, level=proto.REMEDIATE)
    assert remediated(pack, WAIVED_KEY) is None
    assert levels(pack.analyze(WAIVED_KEY), KMS) == [proto.ADVISORY]
