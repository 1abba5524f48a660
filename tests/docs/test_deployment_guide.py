"""The roles that docs/deployment.md gives: read as IAM reads them, and held to this pack's own rule."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tap_guardrails.model import NotApplicable, Resource, Settings
from tap_guardrails.rules.iam_no_wildcards import RULE
from tests.docs.blocks import blocks
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


def listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]


DENIALS = [one for one in statements("Deny") if "Condition" not in one]
GRANTS = [one for one in statements("Allow") if "Principal" not in one]


def test_each_document_is_one_that_iam_takes() -> None:
    assert len(POLICIES) == 4
    for policy in POLICIES:
        assert policy["Version"] == "2012-10-17"
        for one in policy["Statement"]:
            assert one.keys() <= {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
            assert all(re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+\*?", action) for action in listed(one["Action"]))
            assert all(one == "*" or one.startswith("arn:aws:") for one in listed(one.get("Resource", [])))
        # A document of an inline policy may have 10,240 characters, without white space.
        assert len(json.dumps(policy, separators=(",", ":"))) < 10_240


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
    for role in ("tap-pipeline", "tap-audit"):
        assert ("iam:PutRolePolicy", f"arn:aws:iam::ACCOUNT:role/{role}") in denied
    assert ("kms:ScheduleKeyDeletion", "arn:aws:kms:eu-west-2:ACCOUNT:key/STATE_KEY_ID") in denied


def test_actions_are_allowed_on_the_resources_that_aws_checks_them_on() -> None:
    """Service authorization reference; on another resource the allowance is none."""
    allowed = {
        action: (listed(one["Resource"]), one.get("Condition"))
        for one in GRANTS
        for action in listed(one["Action"])
    }
    function = "arn:aws:lambda:eu-west-2:ACCOUNT:function:tap-*"
    assert allowed["lambda:CreateEventSourceMapping"] == (
        ["*"],
        {"ArnLike": {"lambda:FunctionArn": function}},
    )
    for action in ("cloudwatch:DescribeAlarms", "sns:Unsubscribe", "logs:DescribeLogGroups"):
        assert allowed[action] == (["*"], None)
    for action in ("s3:TagResource", "s3:UntagResource", "s3:ListTagsForResource"):
        assert "arn:aws:s3:::tap-*" in allowed[action][0]


def test_callers_of_the_api_may_both_ask_its_url_and_invoke_it() -> None:
    (policy,) = [json.loads(one.body) for one in blocks(PAGE.with_name("api.md")) if one.language == "json"]
    assert [one["Action"] for one in policy["Statement"]] == [
        "lambda:InvokeFunctionUrl",
        "lambda:InvokeFunction",
    ]


WORKFLOWS = [*(ROOT / ".github" / "workflows").glob("*.yml"), PAGE]


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
    assert "ref:refs/heads/main" in json.dumps(POLICIES[0])
