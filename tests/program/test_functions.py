"""Roles, functions, log groups and what feeds them."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, cast

import pulumi
import pytest

from tap_stack.names import Addresses, Names, Place
from tap_stack.permissions import assume_role_policy
from tap_stack.plans import API_HANDLER, PROCESSOR, FunctionPlan
from tests.program.recording import ACCOUNT, CODE, REGION, Declared, Recording, declare, statements

if TYPE_CHECKING:
    from collections.abc import Iterator

PLANS = [API_HANDLER, PROCESSOR]
ADDRESSES = Addresses(Names("dev"), Place(ACCOUNT, REGION, "aws"))


def each_plan(test: object) -> object:
    return pytest.mark.parametrize("plan", PLANS, ids=lambda plan: cast("FunctionPlan", plan).thing)(test)


def part(recording: Recording, plan: FunctionPlan, suffix: str = "") -> Declared:
    return recording.resources[f"tap-{plan.thing}{suffix}"]


@pytest.mark.parametrize(
    ("thing", "memory", "timeout", "handler"),
    [
        ("api-handler", 512, 30, "api_handler.app.handler"),
        ("processor", 1024, 300, "processor.app.handler"),
    ],
)
def test_function(deployed: Recording, thing: str, memory: int, timeout: int, handler: str) -> None:
    inputs = deployed.resources[f"tap-{thing}"].inputs
    assert inputs["name"] == f"tap-{thing}-dev"
    assert (inputs["memorySize"], inputs["timeout"]) == (memory, timeout)
    assert (inputs["handler"], inputs["runtime"]) == (handler, "python3.13")
    assert inputs["architectures"] == ["arm64"]
    assert inputs["tracingConfig"] == {"mode": "Active"}
    assert inputs["reservedConcurrentExecutions"] == -1
    assert inputs["role"] == f"arn:aws:iam::{ACCOUNT}:role/tap-{thing}-role-dev-{REGION}"
    assert inputs["loggingConfig"] == {"logFormat": "JSON", "logGroup": f"/aws/lambda/tap-{thing}-dev"}
    assert inputs["environment"] == {
        "variables": {
            "TABLE_NAME": "tap-metadata-dev",
            "BUCKET_NAME": f"tap-data-dev-{ACCOUNT}-{REGION}",
            "QUEUE_URL": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/tap-work-dev",
            "KMS_KEY_ARN": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0123-abcd",
            "ENVIRONMENT_SUFFIX": "dev",
            "LOG_LEVEL": "INFO",
            "POWERTOOLS_SERVICE_NAME": f"tap-{thing}",
            "POWERTOOLS_METRICS_NAMESPACE": "TapStack",
        }
    }


@each_plan
def test_log_group_is_there_before_the_function(deployed: Recording, plan: FunctionPlan) -> None:
    group = part(deployed, plan, "-logs")
    assert group.inputs["name"] == f"/aws/lambda/tap-{plan.thing}-dev"
    assert group.inputs["retentionInDays"] == 7
    assert group.inputs["kmsKeyId"] == f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0123-abcd"
    assert {group.name, f"tap-{plan.thing}-policy"} <= part(deployed, plan).dependencies


@each_plan
def test_failed_asynchronous_events_go_to_the_dead_letters(deployed: Recording, plan: FunctionPlan) -> None:
    assert part(deployed, plan, "-async").inputs == {
        "functionName": f"tap-{plan.thing}-dev",
        "maximumRetryAttempts": 2,
        "maximumEventAgeInSeconds": 3600,
        "destinationConfig": {"onFailure": {"destination": f"arn:aws:sqs:{REGION}:{ACCOUNT}:tap-dlq-dev"}},
    }


def test_settings_reach_the_functions() -> None:
    recording = declare(
        {
            "environment_suffix": "pr12",
            "log_retention_in_days": 90,
            "log_level": "DEBUG",
            "architecture": "x86_64",
            "api_handler_reserved_concurrency": 20,
            "processor_maximum_concurrency": 40,
        }
    )
    for plan in PLANS:
        function = part(recording, plan).inputs
        assert function["architectures"] == ["x86_64"]
        variables = cast("dict[str, dict[str, object]]", function["environment"])["variables"]
        assert (variables["LOG_LEVEL"], variables["ENVIRONMENT_SUFFIX"]) == ("DEBUG", "pr12")
        assert part(recording, plan, "-logs").inputs["retentionInDays"] == 90
    assert part(recording, API_HANDLER).inputs["reservedConcurrentExecutions"] == 20
    assert part(recording, PROCESSOR).inputs["reservedConcurrentExecutions"] == -1
    source = recording.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs
    assert source["scalingConfig"] == {"maximumConcurrency": 40}


def test_each_function_has_its_own_code() -> None:
    other = pulumi.AssetArchive({"other.py": pulumi.StringAsset("other")})
    recording = declare({"api_handler_code": CODE, "processor_code": other})
    found = [cast("pulumi.AssetArchive", part(recording, plan).inputs["code"]) for plan in PLANS]
    assert [list(archive.assets) for archive in found] == [["app.py"], ["other.py"]]


def test_work_queue_feeds_the_processor(deployed: Recording) -> None:
    inputs = dict(deployed.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs)
    del inputs["tags"]
    assert inputs == {
        "eventSourceArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:tap-work-dev",
        "functionName": "tap-processor-dev",
        "batchSize": 10,
        "functionResponseTypes": ["ReportBatchItemFailures"],
        "scalingConfig": {"maximumConcurrency": 10},
    }


def test_url_asks_for_signed_requests(deployed: Recording) -> None:
    assert deployed.one("aws:lambda/functionUrl:FunctionUrl").inputs == {
        "functionName": "tap-api-handler-dev",
        "authorizationType": "AWS_IAM",
    }


@each_plan
def test_role_trusts_lambda_alone_and_has_one_policy(deployed: Recording, plan: FunctionPlan) -> None:
    role = part(deployed, plan, "-role")
    assert statements(role.inputs["assumeRolePolicy"]) == statements(assume_role_policy())
    (trust,) = statements(role.inputs["assumeRolePolicy"])
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert trust["Action"] == "sts:AssumeRole"
    assert "managedPolicyArns" not in role.inputs
    policy = part(deployed, plan, "-policy")
    assert policy.inputs["role"] == role.inputs["name"]
    assert len(deployed.of_type("aws:iam/rolePolicy:RolePolicy")) == 2


def granted(plan: FunctionPlan) -> Iterator[tuple[str, str]]:
    for statement in statements(plan.policy(ADDRESSES)):
        assert statement["Effect"] == "Allow"
        for action in cast("list[str]", statement["Action"]):
            for resource in cast("list[str]", statement["Resource"]):
                yield action, resource


@each_plan
def test_permissions_have_no_wildcard_but_the_two_explained(plan: FunctionPlan) -> None:
    for action, resource in granted(plan):
        assert "*" not in action
        service = action.split(":")[0]
        if service == "xray":
            assert resource == "*"
        elif service == "logs":
            assert resource == f"{ADDRESSES.log_group(f'tap-{plan.thing}-dev')}:log-stream:*"
        elif service == "s3" and action != "s3:ListBucket":
            assert resource in {f"{ADDRESSES.bucket}/incoming/*", f"{ADDRESSES.bucket}/processed/*"}
        else:
            assert "*" not in resource


@pytest.mark.parametrize(
    ("plan", "action", "resource", "allowed"),
    [
        (API_HANDLER, "s3:PutObject", f"{ADDRESSES.bucket}/incoming/a", True),
        (API_HANDLER, "s3:PutObject", f"{ADDRESSES.bucket}/processed/a", False),
        (API_HANDLER, "s3:GetObject", f"{ADDRESSES.bucket}/incoming/a", True),
        (API_HANDLER, "s3:GetObject", f"{ADDRESSES.bucket}/processed/a", False),
        (API_HANDLER, "s3:ListBucket", ADDRESSES.bucket, True),
        (API_HANDLER, "s3:DeleteObject", f"{ADDRESSES.bucket}/incoming/a", False),
        (API_HANDLER, "sqs:SendMessage", ADDRESSES.work_queue, True),
        (API_HANDLER, "sqs:ReceiveMessage", ADDRESSES.work_queue, False),
        (API_HANDLER, "dynamodb:Scan", ADDRESSES.metadata_table, True),
        (API_HANDLER, "dynamodb:Query", ADDRESSES.metadata_table, True),
        (API_HANDLER, "dynamodb:PutItem", ADDRESSES.metadata_table, True),
        (API_HANDLER, "dynamodb:UpdateItem", ADDRESSES.metadata_table, False),
        (API_HANDLER, "dynamodb:DeleteItem", ADDRESSES.metadata_table, False),
        (PROCESSOR, "s3:PutObject", f"{ADDRESSES.bucket}/processed/a", True),
        (PROCESSOR, "s3:PutObject", f"{ADDRESSES.bucket}/incoming/a", False),
        (PROCESSOR, "sqs:ReceiveMessage", ADDRESSES.work_queue, True),
        (PROCESSOR, "sqs:ReceiveMessage", ADDRESSES.dead_letter_queue, False),
        (PROCESSOR, "sqs:SendMessage", ADDRESSES.dead_letter_queue, True),
        (PROCESSOR, "sqs:SendMessage", ADDRESSES.work_queue, False),
        (PROCESSOR, "dynamodb:UpdateItem", ADDRESSES.metadata_table, True),
        (PROCESSOR, "s3:GetObject", f"{ADDRESSES.bucket}/processed/a", True),
        (PROCESSOR, "s3:ListBucket", ADDRESSES.bucket, True),
        (PROCESSOR, "dynamodb:PutItem", ADDRESSES.metadata_table, True),
        (PROCESSOR, "dynamodb:Scan", ADDRESSES.metadata_table, False),
        (PROCESSOR, "logs:CreateLogGroup", ADDRESSES.log_group("tap-processor-dev"), False),
        (PROCESSOR, "kms:Decrypt", "*", False),
    ],
)
def test_permissions(plan: FunctionPlan, action: str, resource: str, allowed: bool) -> None:  # noqa: FBT001
    assert allowed == any(
        action == granted_action and fnmatch.fnmatchcase(resource, granted_resource)
        for granted_action, granted_resource in granted(plan)
    )


def test_permissions_name_the_resources_that_are_there(deployed: Recording) -> None:
    there = {
        f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{deployed.one('aws:dynamodb/table:Table').inputs['name']}",
        f"arn:aws:s3:::{deployed.one('aws:s3/bucket:Bucket').inputs['bucket']}",
        *(
            f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.inputs['name']}"
            for queue in deployed.of_type("aws:sqs/queue:Queue")
        ),
        *(
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group.inputs['name']}:log-stream:*"
            for group in deployed.of_type("aws:cloudwatch/logGroup:LogGroup")
        ),
        "*",
    }
    for plan in PLANS:
        for statement in statements(part(deployed, plan, "-policy").inputs["policy"]):
            for resource in cast("list[str]", statement["Resource"]):
                assert resource.removesuffix("/incoming/*").removesuffix("/processed/*") in there
