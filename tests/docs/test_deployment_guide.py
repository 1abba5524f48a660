"""The roles that docs/deployment.md gives: read as IAM reads them, and held to this pack's own rule."""

from __future__ import annotations

import functools
import json
import re
from fnmatch import fnmatchcase
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tap_guardrails.model import NotApplicable, Resource, Settings
from tap_guardrails.rules.iam_no_wildcards import RULE
from tests.docs.blocks import blocks
from tests.docs.service_authorization import TABLE, documents, listed
from tests.program.recording import declare
from tests.stack.engine import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = ROOT / "docs" / "deployment.md"
BLOCKS = blocks(PAGE)
POLICIES: list[dict[str, Any]] = [json.loads(block.body) for block in BLOCKS if block.language == "json"]
LOGS = {"LogGroup": "logs"}
# A key has no name before it exists, a mapping is scoped by its function, and the others take `*` only.
NOT_SCOPED = {
    "allowedOnEveryResource": [
        "kms:CreateKey",
        "lambda:CreateEventSourceMapping",
        "cloudwatch:DescribeAlarms",
        "sns:GetSubscriptionAttributes",
        "sns:Unsubscribe",
    ]
}


def statements(effect: str) -> Iterator[dict[str, Any]]:
    for policy in POLICIES:
        yield from (one for one in policy["Statement"] if one["Effect"] == effect)


DENIALS = [one for one in statements("Deny") if "Condition" not in one]
# A boundary grants nothing: it may name whole services.
GRANTS = [one for one in statements("Allow") if "Principal" not in one and one["Sid"] != "ServicesOfTheStack"]
BY_SID = {one["Sid"]: one for effect in ("Allow", "Deny") for one in statements(effect) if "Sid" in one}
REFERENCE: dict[str, Any] = json.loads(TABLE.read_text("utf-8"))["actions"]
EVERYWHERE = "aws:PrincipalArn"
"""A condition key that every request has."""


def test_each_document_is_one_that_iam_takes() -> None:
    assert len(POLICIES) == 6
    for policy in POLICIES:
        assert policy["Version"] == "2012-10-17"
        for one in policy["Statement"]:
            assert one.keys() <= {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
            assert all(
                re.fullmatch(r"[a-z0-9-]+:\*?[A-Za-z]*\*?", action) for action in listed(one["Action"])
            )
            assert all(one == "*" or one.startswith("arn:aws:") for one in listed(one.get("Resource", [])))
        # Without white space: an inline policy, a managed one (a boundary), one of an organization.
        limits = {"State": 10_240, "OnlyThePipelineChangesTapResources": 5_120}
        limit = limits.get(policy["Statement"][0].get("Sid"), 6_144)
        assert len(json.dumps(policy, separators=(",", ":"))) <= limit


@pytest.mark.parametrize("grant", GRANTS, ids=lambda one: one["Sid"])
def test_the_roles_pass_the_rule_that_the_pack_holds_others_to(grant: dict[str, Any]) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [grant]})
    policy = Resource(
        urn="urn:pulumi:dev::tap::aws:iam/policy:Policy::p",
        type="aws:iam/policy:Policy",
        name="p",
        properties={"policy": document},
    )
    found = list(RULE.check(policy, Settings(RULE.all_settings, NOT_SCOPED)))
    assert [one for one in found if not isinstance(one, NotApplicable)] == []


def test_the_pipeline_may_work_with_every_service_of_the_stack() -> None:
    source = "".join(path.read_text() for path in (ROOT / "program" / "tap_stack").glob("*.py"))
    used = {
        LOGS.get(kind, service.rstrip("_"))
        for service, kind in re.findall(r"\baws\.(\w+)\.([A-Z]\w+)\(", source)
    }
    assert used >= {"lambda", "kms", "dynamodb", "logs"}
    allowed = {action.split(":")[0] for one in GRANTS for action in listed(one["Action"])}
    assert used <= allowed


def test_the_pipeline_can_neither_widen_its_own_role_nor_lose_the_state() -> None:
    denied = {
        (action, one)
        for deny in DENIALS
        for action in listed(deny["Action"])
        for one in listed(deny["Resource"])
    }
    for one in ("role/tap-pipeline", "role/tap-audit", "policy/tap-*boundary"):
        assert ("iam:*", f"arn:aws:iam::ACCOUNT:{one}") in denied
    assert ("kms:ScheduleKeyDeletion", "arn:aws:kms:eu-west-2:ACCOUNT:key/STATE_KEY_ID") in denied


@functools.cache
def overlap(one: str, other: str) -> bool:
    """Say whether two patterns with `*` have a text in common."""
    if not one or not other:
        return not (one + other).strip("*")
    if "*" in (one[0], other[0]):
        return overlap(one[1:] if one[0] == "*" else one, other if one[0] == "*" else other[1:]) or (
            overlap(one, other[1:]) if one[0] == "*" else overlap(one[1:], other)
        )
    return one[0] == other[0] and overlap(one[1:], other[1:])


def reaches(given: str, arn: str) -> bool:
    """Say whether a resource of a statement can be one of a type."""
    if given == "*":
        return True
    return all(map(overlap, given.split(":", 5), arn.split(":", 5)))


def test_patterns_overlap() -> None:
    assert reaches("arn:aws:s3:::tap-*", "arn:*:s3:::*")
    assert overlap("a*c", "ab*")
    assert not overlap("abc", "ab")
    assert not reaches("arn:aws:kms:eu-west-2:ACCOUNT:key/*", "arn:*:kms:*:*:alias/*")


def expanded(actions: object) -> set[str]:
    """The actions of a statement by their names; all of a service's (`s3:*`) are left out."""
    named: set[str] = set()
    for pattern in listed(actions):
        if not pattern.endswith(":*"):
            found = {one for one in REFERENCE if fnmatchcase(one, pattern)}
            assert found, f"AWS has no action {pattern}"
            named |= found
    return named


STATEMENTS = [
    pytest.param(one, id=f"{place} {one.get('Sid', number)}")
    for place, document in documents()
    for number, one in enumerate(document["Statement"])
    if "Principal" not in one
]
# Asked for without any resource by whoever lists, whatever the reference says.
ON_EVERYTHING = {"cloudwatch:DescribeAlarms"}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_each_action_stands_with_the_resources_that_aws_checks_it_on(statement: dict[str, Any]) -> None:
    """On another resource an allowance is none, and a denial neither."""
    given = listed(statement["Resource"])
    useful: set[str] = set()
    for action in expanded(statement["Action"]):
        kinds = REFERENCE[action]["resources"]
        if not kinds or action in ON_EVERYTHING:
            assert "*" in given, f"{action} takes no resource"
        matching = {one for one in given for kind in kinds.values() if reaches(one, kind["arn"])}
        useful |= matching | ({"*"} & {*given})
        # An alias and its key are in statements of their own.
        assert matching or not kinds or statement["Sid"] in {"KeyAliases", "KeysOfTheStack"}, action
    if expanded(statement["Action"]):
        assert useful == {*given}, f"nothing here is about {sorted({*given} - useful)}"


@pytest.mark.parametrize("statement", STATEMENTS)
def test_each_condition_is_one_that_the_actions_know(statement: dict[str, Any]) -> None:
    """A key that a request does not have never equals: an allowance would be none."""
    for keys in statement.get("Condition", {}).values():
        for key in {*keys} - {EVERYWHERE}:
            for action in expanded(statement["Action"]):
                known = REFERENCE[action]["conditions"]
                assert any(fnmatchcase(key, one) for one in known), f"{action} does not know {key}"


def test_event_sources_are_scoped_by_their_function() -> None:
    function = "arn:aws:lambda:eu-west-2:ACCOUNT:function:tap-*"
    assert BY_SID["NewFunctionSources"]["Condition"] == {"ArnLike": {"lambda:FunctionArn": function}}


BOUNDARY = {"iam:PermissionsBoundary": "arn:aws:iam::ACCOUNT:policy/tap-boundary"}


def test_roles_are_made_and_changed_with_the_boundary_only() -> None:
    giving = {"iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy",
              "iam:UpdateAssumeRolePolicy"}  # fmt: skip
    for grant in GRANTS:
        if expanded(grant["Action"]) & giving:
            assert grant["Condition"] == {"StringEquals": BOUNDARY}
    denial = BY_SID["RolesOnlyWithTheBoundary"]
    assert {*denial["Action"]} == giving
    assert denial["Condition"] == {"StringNotEquals": BOUNDARY}
    assert "--permissions-boundary arn:aws:iam::ACCOUNT:policy/tap-pipeline-boundary" in PAGE.read_text()


def test_the_boundary_leaves_the_functions_what_they_need() -> None:
    recording = declare({"notification_email": "ops@example.com"}, stack="TapStackprod")
    bounds = [BY_SID[name] for name in ("WhatFunctionsNeed", "Traces")]
    needed = 0
    statements_of_roles = [
        one
        for role in recording.resources.values()
        if "RolePolicy" in role.type
        for one in json.loads(str(role.inputs["policy"]))["Statement"]
    ]
    for one in statements_of_roles:
        for action, resource in product(listed(one["Action"]), listed(one["Resource"])):
            needed += 1
            name = re.sub(r"(?<=:)\d{12}(?=:)", "ACCOUNT", resource)
            inside = [
                bound for bound in bounds if any(fnmatchcase(name, it) for it in listed(bound["Resource"]))
            ]
            assert any(action in bound["Action"] for bound in inside), f"{action} on {resource}"
    assert needed > 20


def test_keys_are_reached_by_their_tag() -> None:
    tagged = {"StringEquals": {"aws:ResourceTag/Project": "tap-stack"}}
    new = {"StringEquals": {"aws:RequestTag/Project": "tap-stack"}}
    name = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["name"]
    assert name == "tap-stack"  # The component's tag `Project`.
    for one in GRANTS:
        keys = any("key/*" in resource for resource in listed(one["Resource"]))
        if keys or "kms:CreateKey" in listed(one["Action"]):
            assert one["Condition"] in (tagged, new)


SERVICE_CONTROL = {
    "a key without the gate": ["kms:CreateKey"],
    "CloudFormation": ["cloudformation:CreateStack", "cloudformation:UpdateStack",
                       "cloudformation:CreateStackSet", "cloudformation:ExecuteChangeSet"],
    "Cloud Control": ["cloudformation:CreateResource", "cloudformation:UpdateResource",
                      "cloudformation:DeleteResource"],
    "a bucket": ["s3:CreateBucket"],
    "no one is told": ["sns:Unsubscribe", "sns:DeleteTopic", "cloudwatch:DisableAlarmActions"],
    "restores": ["dynamodb:RestoreTableFromBackup", "dynamodb:RestoreTableToPointInTime",
                 "dynamodb:RestoreTableFromAwsBackup"],
    "alarms that are mute": ["cloudwatch:PutAlarmMuteRule", "cloudwatch:DeleteAlarms"],
}  # fmt: skip


@pytest.mark.parametrize("way", SERVICE_CONTROL)
def test_nobody_else_changes_what_the_gate_saw(way: str) -> None:
    denied = BY_SID["OnlyThePipelineChangesTapResources"]
    assert {*SERVICE_CONTROL[way]} <= expanded(denied["Action"])
    assert denied["Resource"] == "*"
    allowed = listed(denied["Condition"]["ArnNotLike"]["aws:PrincipalArn"])
    assert allowed == [f"arn:aws:iam::*:role/tap-{name}" for name in ("bootstrap", "pipeline")]


def test_nobody_changes_the_pipelines_role() -> None:
    denied = BY_SID["NoOneChangesThePipeline"]
    assert denied["Action"] == "iam:*"
    assert "arn:aws:iam::*:role/tap-pipeline" in denied["Resource"]
    assert denied["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/tap-bootstrap"}}


def test_callers_of_the_api_may_both_ask_its_url_and_invoke_it() -> None:
    (policy,) = [json.loads(one.body) for one in blocks(PAGE.with_name("api.md")) if one.language == "json"]
    assert [one["Action"] for one in policy["Statement"]] == [
        "lambda:InvokeFunctionUrl",
        "lambda:InvokeFunction",
    ]


WORKFLOWS = [*(ROOT / ".github" / "workflows").glob("*.yml")]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_actions_are_pinned(file: Path) -> None:
    used = re.findall(r"- uses: +(\S+.*)", file.read_text())
    assert used
    pinned = re.compile(r"[\w-]+/[\w-]+(?:/[\w-]+)?@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [one for one in used if not pinned.fullmatch(one)] == []


def test_the_audit_only_reads() -> None:
    (audit,) = [one for one in GRANTS if one["Sid"] == "ReadStates"]
    assert set(listed(audit["Action"])) == {"s3:GetObject", "s3:ListBucket"}


def test_the_deployment_job_may_ask_for_a_token() -> None:
    (job,) = [yaml.safe_load(block.body)["jobs"]["deploy"] for block in BLOCKS if block.language == "yaml"]
    assert job["permissions"] == {"contents": "read", "id-token": "write"}
    # With an environment the token's subject would not be the one that the role trusts.
    assert "environment" not in job
    assert job["uses"] == "ORG/tap-guardrails/.github/workflows/deploy.yml@main"
    (trust,) = POLICIES[0]["Statement"]
    subject = trust["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
    branch, workflow = "ref:refs/heads/main", job["uses"].replace("@main", "@refs/heads/main")
    assert subject == f"repo:ORG/REPO:{branch}:job_workflow_ref:{workflow}"
