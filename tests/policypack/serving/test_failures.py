"""A rule that fails has decided nothing, so nothing passes: its failure is a mandatory finding."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict, cast

import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import analyzer_pb2 as proto

from tap_guardrails import assembly
from tap_guardrails.assembly import find_rule, find_rules
from tap_guardrails.model import Level, ResourceRule, Severity, StackRule
from tap_guardrails.serving.analyzer import GuardrailsAnalyzer
from tests.policypack.harness.cases import CaseResource
from tests.policypack.harness.clock import day
from tests.policypack.harness.pack import analyze_request, stack_request
from tests.policypack.harness.trees import struct

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import grpc

    from tap_guardrails.model import Outcome, Resource, Settings, Stack

CONTEXT = cast("grpc.ServicerContext", None)
KEY = CaseResource("key", "aws:kms/key:Key", {"description": "s3cret words"})


def failing_alone(resource: Resource, _settings: Settings) -> Iterator[Outcome]:
    raise ZeroDivisionError(str(resource.at("description").value))


def failing_in_stack(resource: Resource, _stack: Stack, _settings: Settings) -> list[Outcome]:
    raise RecursionError(str(resource.at("description").value))


class RuleTexts(TypedDict):
    title: str
    description: str
    why: str
    fix: str
    url: str
    severity: Severity
    types: tuple[str, ...]


WORDS = RuleTexts(
    title="Fails",
    description="Fails.",
    why="It fails.",
    fix="None.",
    url="https://x",
    severity="low",
    types=("aws:kms/key:Key",),
)


def rules() -> list[ResourceRule | StackRule]:
    return [
        ResourceRule(name="fails-alone", check=failing_alone, **WORDS),
        StackRule(name="fails-in-stack", check=failing_in_stack, **WORDS),
    ]


def analyzer(level: Level) -> GuardrailsAnalyzer:
    return GuardrailsAnalyzer([replace(rule, level=level) for rule in rules()])


@pytest.mark.parametrize("level", ["mandatory", "advisory"])
def test_a_failure_is_a_mandatory_finding_on_the_resource(level: Level) -> None:
    servicer = analyzer(level)
    alone = servicer.Analyze(analyze_request(KEY), CONTEXT)
    together = servicer.AnalyzeStack(stack_request([KEY]), CONTEXT)
    for name, response in (("fails-alone", alone), ("fails-in-stack", together)):
        (diagnostic,) = response.diagnostics
        assert (diagnostic.policyName, diagnostic.urn) == (name, KEY.urn)
        assert diagnostic.enforcementLevel == proto.MANDATORY
        assert diagnostic.message.endswith("Verdict: error")
        assert "s3cret" not in diagnostic.message
    assert "ZeroDivisionError" in alone.diagnostics[0].message


def test_a_failure_is_never_waived() -> None:
    servicer = analyzer("mandatory")
    request = proto.ConfigureAnalyzerRequest()
    for name in ("fails-alone", "fails-in-stack"):
        request.policyConfig[name].enforcementLevel = proto.MANDATORY
        entry = {"urn": "*::*", "reason": "x", "owner": "x", "expires": day(1)}
        request.policyConfig[name].properties.CopyFrom(struct({"waivers": [entry]}))
    servicer.Configure(request, CONTEXT)
    alone = servicer.Analyze(analyze_request(KEY), CONTEXT)
    together = servicer.AnalyzeStack(stack_request([KEY]), CONTEXT)
    for response in (alone, together):
        (diagnostic,) = response.diagnostics
        assert diagnostic.enforcementLevel == proto.MANDATORY
        assert diagnostic.message.endswith("Verdict: error")


def test_a_disabled_policy_does_not_fail() -> None:
    servicer = analyzer("disabled")
    assert not servicer.Analyze(analyze_request(KEY), CONTEXT).diagnostics
    assert not servicer.AnalyzeStack(stack_request([KEY]), CONTEXT).diagnostics


def test_the_folder_is_the_list_of_rules() -> None:
    files = {path.stem for path in assembly.RULES_FOLDER.glob("*.py")} - {"__init__"}
    assert {rule.name.replace("-", "_") for rule in find_rules()} == files


def test_a_file_without_a_rule_of_its_name_is_refused() -> None:
    for module in (object(), type("Module", (), {"RULE": rules()[0]})):
        with pytest.raises(TypeError, match=r"rules/kms_x\.py must define RULE, named `kms-x`"):
            find_rule("kms_x", module)


def test_a_policy_without_controls_names_no_framework() -> None:
    (info,) = GuardrailsAnalyzer([rules()[0]]).GetAnalyzerInfo(Empty(), CONTEXT).policies
    assert not info.framework.name
    assert info.tags == ["aws", "kms"]


def test_policies_are_mandatory_unless_said_otherwise() -> None:
    levels = {rule.name: rule.level for rule in find_rules()}
    advisory = {name for name, level in levels.items() if level == "advisory"}
    assert advisory == {
        "iam-no-public-trust",
        "lambda-duration-alarm",
        "lambda-permission-source",
        "required-tags",
    }
    assert {level for name, level in levels.items() if name not in advisory} == {"mandatory"}


def test_private_files_are_no_rules(tmp_path: Path) -> None:
    (tmp_path / "_draft.py").write_text("raise SystemExit")
    assert find_rules(tmp_path) == ()
