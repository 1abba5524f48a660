"""The running pack, as the engine speaks to it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import grpc
import jsonschema
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import analyzer_pb2 as proto

from tap_guardrails.assembly import find_rules
from tap_guardrails.model import ResourceRule, Rule
from tests.policypack.harness.cases import RULES, CaseResource
from tests.policypack.harness.pack import Pack, running_process
from tests.policypack.harness.trees import UNKNOWN_MARK

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_WITHOUT_ROTATION = CaseResource("key", "aws:kms/key:Key", {"enableKeyRotation": False})
KEY_UNKNOWN = replace(KEY_WITHOUT_ROTATION, props={"enableKeyRotation": UNKNOWN_MARK})
FUNCTION = CaseResource("fn", "aws:lambda/function:Function", {"name": "fn", "timeout": 3})
TOPIC = CaseResource("topic", "aws:sns/topicPolicy:TopicPolicy", {"arn": "x"})
POLICY = "kms-key-rotation"


def found(response: proto.AnalyzeResponse, name: str = POLICY) -> list[proto.AnalyzeDiagnostic]:
    return [one for one in response.diagnostics if one.policyName == name]


def test_the_pack_tells_all_about_itself(pack: Pack) -> None:
    info = pack.info()
    assert (info.name, info.displayName, info.supportsConfig) == ("tap-guardrails", "TAP Guardrails", True)
    assert info.description
    assert info.provider == "aws"
    assert {policy.name for policy in info.policies} == {rule.name for rule in find_rules()}


@pytest.mark.parametrize("rule", find_rules(), ids=lambda rule: rule.name)
def test_a_policy_tells_all_about_itself(rule: Rule, pack: Pack) -> None:
    policy = next(one for one in pack.info().policies if one.name == rule.name)
    assert policy.displayName
    assert policy.displayName != policy.name
    assert policy.description.endswith(".")
    assert policy.remediation_steps.endswith(".")
    assert policy.url.startswith("https://docs.aws.amazon.com/")
    assert policy.severity != proto.POLICY_SEVERITY_UNSPECIFIED
    kind = proto.POLICY_TYPE_RESOURCE if isinstance(rule, ResourceRule) else proto.POLICY_TYPE_STACK
    assert policy.policy_type == kind
    assert policy.tags[0] == "aws"
    for control in rule.answered:
        assert control.source.startswith("https://")
        assert any(tag.endswith(f":{control.identifier}") for tag in policy.tags)
    assert bool(rule.controls) == bool(policy.framework.name)


@pytest.mark.parametrize("rule", find_rules(), ids=lambda rule: rule.name)
def test_a_policy_publishes_its_settings_with_defaults_that_fit(rule: Rule, pack: Pack) -> None:
    policy = next(one for one in pack.info().policies if one.name == rule.name)
    properties = cast("dict[str, dict[str, object]]", MessageToDict(policy.configSchema.properties))
    assert properties["onUnknown"]["enum"] == ["deny", "warn"]
    assert properties.keys() == {setting.name for setting in rule.all_settings}
    schema = {"type": "object", "properties": properties}
    jsonschema.Draft7Validator.check_schema(schema)
    defaults = {name: one["default"] for name, one in properties.items()}
    jsonschema.validate(defaults, schema)
    pack.configure(rule.name, defaults)
    assert all("description" in one for one in properties.values())


def test_the_pack_tells_its_version(pack: Pack) -> None:
    assert "0.1.0" in str(pack.plugin())
    pack.configure_stack()


def test_a_finding_names_policy_resource_level_and_severity(pack: Pack) -> None:
    (diagnostic,) = found(pack.analyze(KEY_WITHOUT_ROTATION))
    assert diagnostic.message.split("\n") == [
        "Key rotation is off.",
        "Where: key (aws:kms/key:Key), property `enableKeyRotation`",
        "Found: false",
        "Required: true",
        "Why: A key that never changes protects ever more data, all of it lost to whoever gets the key once.",
        f"Fix: {RULES[POLICY].fix}",
        "Verdict: violation",
    ]
    assert diagnostic.urn == KEY_WITHOUT_ROTATION.urn
    assert diagnostic.enforcementLevel == proto.MANDATORY
    assert diagnostic.severity == proto.POLICY_SEVERITY_HIGH
    assert (diagnostic.policyPackName, diagnostic.policyPackVersion) == ("tap-guardrails", "0.1.0")
    assert diagnostic.description


@pytest.mark.parametrize(
    ("level", "reported"),
    [
        (proto.MANDATORY, proto.MANDATORY),
        (proto.ADVISORY, proto.ADVISORY),
        (proto.REMEDIATE, proto.MANDATORY),
    ],
)
@pytest.mark.parametrize("resource", [KEY_WITHOUT_ROTATION, KEY_UNKNOWN])
def test_a_policy_reports_at_its_level(level: int, reported: int, resource: CaseResource, pack: Pack) -> None:
    pack.configure(POLICY, level=level)
    assert [one.enforcementLevel for one in found(pack.analyze(resource))] == [reported]


def test_a_disabled_policy_says_nothing(pack: Pack) -> None:
    pack.configure(POLICY, level=proto.DISABLED)
    response = pack.analyze(KEY_WITHOUT_ROTATION)
    assert not found(response)
    assert POLICY not in {one.policy_name for one in response.not_applicable}


def test_a_disabled_stack_policy_says_nothing(pack: Pack) -> None:
    assert found(pack.analyze_stack([FUNCTION]), "lambda-error-alarm")
    pack.configure("lambda-error-alarm", level=proto.DISABLED)
    assert not found(pack.analyze_stack([FUNCTION]), "lambda-error-alarm")


def test_what_is_undecided_is_an_advisory_only_where_the_operator_wants_it(pack: Pack) -> None:
    pack.configure(POLICY, {"onUnknown": "warn"})
    assert [one.enforcementLevel for one in found(pack.analyze(KEY_UNKNOWN))] == [proto.ADVISORY]
    assert [one.enforcementLevel for one in found(pack.analyze(KEY_WITHOUT_ROTATION))] == [proto.MANDATORY]


def test_policies_of_other_types_do_not_apply(pack: Pack) -> None:
    for resource in (TOPIC, FUNCTION):
        reasons = {one.policy_name: one.reason for one in pack.analyze(resource).not_applicable}
        assert reasons[POLICY].startswith("Applies to aws:kms/key:Key")
    assert "lambda-xray-tracing" not in {one.policy_name for one in pack.analyze(FUNCTION).not_applicable}


def test_nothing_is_remediated(pack: Pack) -> None:
    assert not pack.remediate(KEY_WITHOUT_ROTATION).remediations


@pytest.mark.parametrize(
    ("name", "settings", "text"),
    [
        ("kms-key-rotaton", {}, "there is no policy `kms-key-rotaton`; there are kms-key-rotation, alarm-e"),
        (
            POLICY,
            {"maximumRotationDay": 90},
            "there is no setting `maximumRotationDay`; there are maximumRot",
        ),
        (POLICY, {"maximumRotationDays": 30}, "must be a whole number from 90 to 2560, not 30"),
        (POLICY, {"maximumRotationDays": "90"}, 'must be a whole number from 90 to 2560, not "90"'),
        (POLICY, {"onUnknown": "allow"}, 'must be one of deny, warn, not "allow"'),
        ("dynamodb-throttle-alarm", {"watch": []}, "`watch` must be a list of reads, writes, not []"),
        ("dynamodb-throttle-alarm", {"watch": "reads"}, "`watch` must be a list of reads, writes"),
        ("alarm-effective", {"actionsThroughComposite": 1}, "must be true or false, not 1"),
    ],
)
def test_configuration_that_does_not_fit_stops_the_run(
    name: str, settings: dict[str, object], text: str, pack: Pack
) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        pack.configure(name, settings)
    details = cast("Callable[[], str]", raised.value.details)()  # pyright: ignore[reportAttributeAccessIssue]
    assert details.startswith("The policy configuration is not valid: ")
    assert text in details
    assert "\n" not in details


def test_what_was_asked_for_is_forgotten_with_the_stack(pack: Pack) -> None:
    unknown = replace(FUNCTION, props={"name": "fn", "loggingConfig": UNKNOWN_MARK})
    logs = CaseResource(
        "logs", "aws:cloudwatch/logGroup:LogGroup", {"name": "/aws/lambda/fn", "retentionInDays": 7}
    )
    pack.analyze(FUNCTION)
    assert not found(pack.analyze_stack([unknown, logs]), "lambda-log-group")
    (finding,) = found(pack.analyze_stack([unknown, logs]), "lambda-log-group")
    assert finding.message.endswith("Verdict: undecided")


def nested(levels: int) -> bytes:
    """An AnalyzeRequest for a key, with a property nested so deep that no Python object could hold it."""
    value = field(3, b"x")
    provider = proto.AnalyzeRequest(provider=proto.AnalyzerProviderResource(urn="x"))
    for _ in range(levels):
        value = field(5, field(1, field(1, b"a") + field(2, value)))
    entry = field(1, b"enableKeyRotation") + field(2, value)
    key = field(1, b"aws:kms/key:Key") + field(2, field(1, entry)) + field(3, KEY_UNKNOWN.urn.encode())
    return key + provider.SerializeToString()


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def test_a_value_nested_ten_thousand_levels_deep_is_a_finding() -> None:
    with running_process() as (_, port), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        connect = cast(
            "Callable[[str], Callable[..., bytes]]", vars(type(channel))["unary_unary"].__get__(channel)
        )
        answer = connect("/pulumirpc.Analyzer/Analyze")(nested(10_000), timeout=30)
    (diagnostic,) = found(proto.AnalyzeResponse.FromString(answer))
    assert diagnostic.message.startswith("`enableKeyRotation` is not a boolean.")


def test_the_pack_ends_quietly_when_it_is_interrupted() -> None:
    with running_process() as (process, _):
        pass
    assert process.returncode == 0


def test_a_finding_stays_in_its_lines_whatever_resources_are_called(pack: Pack) -> None:
    (diagnostic,) = found(pack.analyze(replace(KEY_WITHOUT_ROTATION, name="a\nVerdict: none\u2028b")))
    assert len(diagnostic.message.splitlines()) == 7
    assert json.dumps(diagnostic.message)
