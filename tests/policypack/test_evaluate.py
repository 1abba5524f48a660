"""The pack as a function over the resources of a state: what it says over the protocol, without that."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING, Any, cast

import pytest
from pulumi.runtime.proto import analyzer_pb2 as proto

from tap_guardrails import evaluate
from tap_guardrails.assembly import find_rules
from tap_guardrails.evaluation import ConfigurationError
from tap_guardrails.serving.analyzer import GuardrailsAnalyzer
from tests.bench.stacks import synthetic_stack
from tests.policypack.harness.cases import CaseResource, cases, each_rule
from tests.policypack.harness.clock import day
from tests.policypack.harness.pack import PACK_FOLDER, analyze_request, stack_request
from tests.policypack.harness.records import records
from tests.policypack.harness.trees import struct
from tests.policypack.harness.waived import TERMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import grpc

    from tap_guardrails.model import Rule

CONTEXT = cast("grpc.ServicerContext", None)
SERVICER = GuardrailsAnalyzer(find_rules(), reconfigurable=True)
LEVELS = {proto.ADVISORY: "advisory", proto.MANDATORY: "mandatory"}
KEY = CaseResource("key", "aws:kms/key:Key", {"enableKeyRotation": False})


def over_the_protocol(
    resources: Sequence[CaseResource], config: Mapping[str, Mapping[str, object]]
) -> list[tuple[str, ...]]:
    """What the servicer says of a stack, sorted."""
    request = proto.ConfigureAnalyzerRequest()
    for name, settings in config.items():
        request.policyConfig[name].enforcementLevel = proto.MANDATORY
        request.policyConfig[name].properties.CopyFrom(struct(settings))
    SERVICER.Configure(request, CONTEXT)
    answers: list[proto.AnalyzeResponse] = []
    for one in resources:
        asked = CaseResource(one.name, one.type, one.inputs or one.props, provider=one.provider)
        answers.append(SERVICER.Analyze(analyze_request(asked), CONTEXT))
    stack = stack_request(resources)
    for urn in {one.provider_urn for one in resources if not one.is_component}:
        stack.resources.add(type=urn.split("::")[2], urn=urn, name=urn.split("::")[3])
    answers.append(SERVICER.AnalyzeStack(stack, CONTEXT))
    return sorted(
        (one.policyName, one.urn, LEVELS[one.enforcementLevel], one.message)
        for answer in answers
        for one in answer.diagnostics
    )


@pytest.mark.uncounted
@each_rule
def test_both_ways_say_the_same(rule: Rule) -> None:
    for case in cases(rule):
        config = {rule.name: dict(case.config)}
        levels = {name: {"enforcementLevel": "mandatory", **settings} for name, settings in config.items()}
        said = evaluate(records(case.resources), levels)
        found = sorted((one.policy, one.urn, one.level, one.message) for one in said.findings)
        assert found == over_the_protocol(case.resources, config), case.name


def test_each_policy_passed_failed_or_does_not_apply() -> None:
    said = evaluate(records([KEY]), {"kms-key-rotation": "advisory", "required-tags": "disabled"})
    (summary,) = [one for one in said.resources if one.urn == KEY.urn]
    assert summary.failed == ("kms-key-rotation",)
    assert summary.not_applicable["iam-no-wildcards"].startswith("Applies to aws:iam")
    assert "required-tags" not in {*summary.passed, *summary.failed, *summary.not_applicable}
    assert "no-unseen-resources" in said.stack.passed
    assert {(one.level, one.verdict, one.property) for one in said.findings} == {
        ("advisory", "violation", "enableKeyRotation")
    }


def test_what_looked_at_a_resource_is_told() -> None:
    stack = [
        KEY,
        CaseResource("app", "aws:ecs/cluster:Cluster"),
        CaseResource("alias", "aws:lambda/alias:Alias"),
        CaseResource("team", "team:index:Service"),
        CaseResource(
            "carrier",
            "aws:cloudcontrol/resource:Resource",
            {"typeName": "AWS::KMS::Key", "desiredState": "{}"},
        ),
    ]
    coverage = evaluate(records(stack)).coverage
    assert {urn.rpartition("::")[2]: what for urn, what in coverage.items()} == {
        "key": "control",
        "app": "tags",
        "alias": "none",
        "carrier": "control",
    }


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (
            {"kms-key-rotaton": "advisory"},
            "there is no policy `kms-key-rotaton`; there are kms-key-rotation, alarm-effective, ",
        ),
        ({"kms-key-rotation": "loud"}, "'loud' is no level"),
        ({"all": "loud"}, "'loud' is no level"),
        (
            {"kms-key-rotation": {"enforcmentLevel": "advisory"}},
            "there is no setting `enforcmentLevel`; there are enforcementLevel, maximumRotationDays",
        ),
        ({"kms-key-rotation": {"maximumRotationDay": 1}}, "there is no setting `maximumRotationDay`"),
    ],
)
def test_configuration_that_does_not_fit_is_refused(config: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        evaluate([], config)


def test_a_level_for_all_yields_to_a_policys_own() -> None:
    config: dict[str, object] = {"all": "disabled", "kms-key-rotation": {"enforcementLevel": "mandatory"}}
    said = evaluate(records([KEY]), config)
    assert [(one.policy, one.level) for one in said.findings] == [("kms-key-rotation", "mandatory")]


def test_what_a_program_names_like_the_engines_own_is_read() -> None:
    variables = {"__DB_PASSWORD": "hunter2hunter2Xq9", "__defaults": ["hunter3hunter3Xq9"]}
    app = CaseResource("app", "aws:amplify/app:App", {"environmentVariables": variables})
    said = evaluate(records([app]), {"all": "disabled", "no-plaintext-secrets": "mandatory"})
    assert [one.property for one in said.findings] == ["environmentVariables.__DB_PASSWORD"]


def test_what_is_being_deleted_is_left_out() -> None:
    assert not evaluate([{**one, "delete": True} for one in records([KEY])]).resources


def test_waivers_of_the_stack_hold_until_their_day() -> None:
    terms = {**TERMS, "urn": "*::key", "expires": day(30)}
    config: dict[str, object] = {"waiver-in-force": {"programWaivable": ["kms-key-rotation"]}}
    waivers = json.dumps([{"policy": "kms-key-rotation", **terms}])

    def verdict(on: str) -> str:
        stack_config = {"tap-guardrails:waivers": waivers}
        said = evaluate(records([KEY]), config, stack_config=stack_config, today=date.fromisoformat(on))
        return next(one.verdict for one in said.findings if one.policy == "kms-key-rotation")

    assert verdict(day(30)) == "waived"
    assert verdict(day(31)) == "violation"


def test_a_resource_whose_provider_the_state_has_lost_is_evaluated() -> None:
    (key,) = [one for one in records([KEY]) if one["urn"] == KEY.urn]
    assert "kms-key-rotation" in {one.policy for one in evaluate([key]).findings}


def imported(program: str) -> set[str]:
    """The modules that a program ends up with."""
    program = f"import sys; sys.path.insert(0, {str(PACK_FOLDER)!r}); {program}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_it_takes_neither_the_protocol_nor_pulumi() -> None:
    modules = imported("from tap_guardrails import evaluate; evaluate([])")
    assert not {name.partition(".")[0] for name in modules} & {"grpc", "google", "pulumi", "yaml"}


def test_yaml_is_imported_for_a_template_in_yaml_only() -> None:
    def carrier(body: str) -> str:
        app: Iterable[Any] = records(
            [CaseResource("app", "aws:cloudformation/stack:Stack", {"templateBody": body})]
        )
        return f"from tap_guardrails import evaluate; evaluate({list(app)!r})"

    assert "yaml" not in imported(carrier('{"Resources": {}}'))
    assert "yaml" in imported(carrier("Resources: {}"))


def test_a_stack_of_thousands_is_evaluated() -> None:
    assert not [one for one in evaluate(records(synthetic_stack(1_000))).findings if one.level == "mandatory"]
