"""Roles, functions, log groups and what feeds them."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, cast

import pulumi
import pytest

from tap_stack.functions import API_HANDLER, PROCESSOR, FunctionSpec
from tap_stack.names import DEAD_LETTERS, FAILED_EVENTS, WORK, Addresses, Location, Names
from tap_stack.roles import assume_role_policy
from tests.program.recording import ACCOUNT, CODE, REGION, Declared, Recording, declare, statements

if TYPE_CHECKING:
    from collections.abc import Iterator

SPECS = [API_HANDLER, PROCESSOR]
ADDRESSES = Addresses(Names("dev"), Location(ACCOUNT, REGION, "aws"))


def each_spec(test: object) -> object:
    return pytest.mark.parametrize("spec", SPECS, ids=lambda spec: cast("FunctionSpec", spec).component)(test)


def part(recording: Recording, spec: FunctionSpec, suffix: str = "") -> Declared:
    return recording.resources[f"tap-{spec.component}{suffix}"]


@pytest.mark.parametrize(
    ("component", "memory", "timeout", "handler"),
    [
        ("api-handler", 512, 30, "api_handler.app.handler"),
        ("processor", 1024, 300, "processor.app.handler"),
    ],
)
def test_function(deployed: Recording, component: str, memory: int, timeout: int, handler: str) -> None:
    inputs = deployed.resources[f"tap-{component}"].inputs
    assert inputs["name"] == f"tap-{component}-dev"
    assert (inputs["memorySize"], inputs["timeout"]) == (memory, timeout)
    assert (inputs["handler"], inputs["runtime"]) == (handler, "python3.13")
    assert inputs["architectures"] == ["arm64"]
    assert inputs["tracingConfig"] == {"mode": "Active"}
    assert inputs["reservedConcurrentExecutions"] == -1
    assert inputs["role"] == f"arn:aws:iam::{ACCOUNT}:role/tap-{component}-role-dev-{REGION}"
    assert inputs["kmsKeyArn"] == f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0123-abcd"
    assert inputs["loggingConfig"] == {
        "logFormat": "JSON",
        "applicationLogLevel": "INFO",
        "logGroup": f"/aws/lambda/tap-{component}-dev",
    }
    assert inputs["environment"] == {
        "variables": {
            "TABLE_NAME": "tap-metadata-dev",
            "BUCKET_NAME": f"tap-data-dev-{ACCOUNT}-{REGION}",
            "QUEUE_URL": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/tap-work-dev",
            "KMS_KEY_ARN": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0123-abcd",
            "ENVIRONMENT_SUFFIX": "dev",
            "LOG_LEVEL": "INFO",
            "POWERTOOLS_SERVICE_NAME": f"tap-{component}",
            "POWERTOOLS_METRICS_NAMESPACE": "TapStack",
        }
    }


@each_spec
def test_log_group_is_there_before_the_function(deployed: Recording, spec: FunctionSpec) -> None:
    group = part(deployed, spec, "-logs")
    assert group.inputs["name"] == f"/aws/lambda/tap-{spec.component}-dev"
    assert group.inputs["retentionInDays"] == 7
    assert group.inputs["kmsKeyId"] == f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0123-abcd"
    assert {group.name, f"tap-{spec.component}-policy"} <= part(deployed, spec).dependencies


@each_spec
def test_failed_asynchronous_events_go_to_a_queue_that_is_no_dead_letter_queue(
    deployed: Recording, spec: FunctionSpec
) -> None:
    assert part(deployed, spec, "-async").inputs == {
        "functionName": f"tap-{spec.component}-dev",
        "maximumRetryAttempts": 2,
        "maximumEventAgeInSeconds": 3600,
        "destinationConfig": {
            "onFailure": {"destination": f"arn:aws:sqs:{REGION}:{ACCOUNT}:tap-failed-events-dev"}
        },
    }
    # SQS moves nothing back out of a dead letter queue that something was sent to directly.
    redrives = [str(queue.inputs.get("redrivePolicy")) for queue in deployed.of_type("aws:sqs/queue:Queue")]
    assert "tap-failed-events-dev" not in "".join(redrives)
    assert (("sqs:SendMessage", ADDRESSES.queue(DEAD_LETTERS))) not in set(granted(spec))


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
    for spec in SPECS:
        function = part(recording, spec).inputs
        assert function["architectures"] == ["x86_64"]
        variables = cast("dict[str, dict[str, object]]", function["environment"])["variables"]
        assert (variables["LOG_LEVEL"], variables["ENVIRONMENT_SUFFIX"]) == ("DEBUG", "pr12")
        assert cast("dict[str, str]", function["loggingConfig"])["applicationLogLevel"] == "DEBUG"
        assert part(recording, spec, "-logs").inputs["retentionInDays"] == 90
    assert part(recording, API_HANDLER).inputs["reservedConcurrentExecutions"] == 20
    assert part(recording, PROCESSOR).inputs["reservedConcurrentExecutions"] == -1
    source = recording.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs
    assert source["scalingConfig"] == {"maximumConcurrency": 40}


@pytest.mark.parametrize(
    ("level", "lambdas"), [("WARNING", "WARN"), ("CRITICAL", "FATAL"), ("ERROR", "ERROR")]
)
def test_lambda_gets_the_log_level_in_its_own_spelling(level: str, lambdas: str) -> None:
    for function in declare({"log_level": level}).of_type("aws:lambda/function:Function"):
        logging = cast("dict[str, str]", function.inputs["loggingConfig"])
        variables = cast("dict[str, dict[str, object]]", function.inputs["environment"])["variables"]
        assert (logging["applicationLogLevel"], variables["LOG_LEVEL"]) == (lambdas, level)


def test_a_boundary_bounds_each_role(deployed: Recording) -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    bounded = declare({"permissions_boundary": boundary}).of_type("aws:iam/role:Role")
    assert [role.inputs["permissionsBoundary"] for role in bounded] == [boundary] * 2
    assert not any("permissionsBoundary" in role.inputs for role in deployed.of_type("aws:iam/role:Role"))


def test_each_function_has_its_own_code() -> None:
    other = pulumi.AssetArchive({"other.py": pulumi.StringAsset("other")})
    recording = declare({"api_handler_code": CODE, "processor_code": other})
    found = [cast("pulumi.AssetArchive", part(recording, spec).inputs["code"]) for spec in SPECS]
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


@each_spec
def test_role_trusts_lambda_alone_and_has_one_policy(deployed: Recording, spec: FunctionSpec) -> None:
    role = part(deployed, spec, "-role")
    assert statements(role.inputs["assumeRolePolicy"]) == statements(assume_role_policy())
    (trust,) = statements(role.inputs["assumeRolePolicy"])
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert trust["Action"] == "sts:AssumeRole"
    assert "managedPolicyArns" not in role.inputs
    policy = part(deployed, spec, "-policy")
    assert policy.inputs["role"] == role.inputs["name"]
    assert len(deployed.of_type("aws:iam/rolePolicy:RolePolicy")) == 2


def granted(spec: FunctionSpec) -> Iterator[tuple[str, str]]:
    for statement in statements(spec.policy(ADDRESSES)):
        assert statement["Effect"] == "Allow"
        for action in cast("list[str]", statement["Action"]):
            for resource in cast("list[str]", statement["Resource"]):
                yield action, resource


@each_spec
def test_permissions_have_no_wildcard_but_the_two_explained(spec: FunctionSpec) -> None:
    for action, resource in granted(spec):
        assert "*" not in action
        service = action.split(":")[0]
        if service == "xray":
            assert resource == "*"
        elif service == "logs":
            assert resource == f"{ADDRESSES.log_group(spec.component)}:log-stream:*"
        elif service == "s3" and action != "s3:ListBucket":
            assert resource in {f"{ADDRESSES.bucket}/incoming/*", f"{ADDRESSES.bucket}/processed/*"}
        else:
            assert "*" not in resource


@pytest.mark.parametrize(
    ("spec", "action", "resource", "allowed"),
    [
        (API_HANDLER, "s3:PutObject", f"{ADDRESSES.bucket}/incoming/a", True),
        (API_HANDLER, "s3:PutObject", f"{ADDRESSES.bucket}/processed/a", False),
        (API_HANDLER, "s3:GetObject", f"{ADDRESSES.bucket}/incoming/a", True),
        (API_HANDLER, "s3:GetObject", f"{ADDRESSES.bucket}/processed/a", False),
        (API_HANDLER, "s3:ListBucket", ADDRESSES.bucket, True),
        (API_HANDLER, "s3:DeleteObject", f"{ADDRESSES.bucket}/incoming/a", False),
        (API_HANDLER, "sqs:SendMessage", ADDRESSES.queue(WORK), True),
        (API_HANDLER, "sqs:ReceiveMessage", ADDRESSES.queue(WORK), False),
        (API_HANDLER, "dynamodb:Scan", ADDRESSES.metadata_table, True),
        (API_HANDLER, "dynamodb:Query", ADDRESSES.metadata_table, True),
        (API_HANDLER, "dynamodb:PutItem", ADDRESSES.metadata_table, True),
        (API_HANDLER, "dynamodb:UpdateItem", ADDRESSES.metadata_table, False),
        (API_HANDLER, "dynamodb:DeleteItem", ADDRESSES.metadata_table, False),
        (PROCESSOR, "s3:PutObject", f"{ADDRESSES.bucket}/processed/a", True),
        (PROCESSOR, "s3:PutObject", f"{ADDRESSES.bucket}/incoming/a", False),
        (PROCESSOR, "sqs:ReceiveMessage", ADDRESSES.queue(WORK), True),
        (PROCESSOR, "sqs:ReceiveMessage", ADDRESSES.queue(DEAD_LETTERS), False),
        (PROCESSOR, "sqs:SendMessage", ADDRESSES.queue(DEAD_LETTERS), False),
        (PROCESSOR, "sqs:SendMessage", ADDRESSES.queue(FAILED_EVENTS), True),
        (API_HANDLER, "sqs:SendMessage", ADDRESSES.queue(FAILED_EVENTS), True),
        (PROCESSOR, "sqs:SendMessage", ADDRESSES.queue(WORK), False),
        (PROCESSOR, "dynamodb:UpdateItem", ADDRESSES.metadata_table, True),
        (PROCESSOR, "s3:GetObject", f"{ADDRESSES.bucket}/processed/a", True),
        (PROCESSOR, "s3:ListBucket", ADDRESSES.bucket, True),
        (PROCESSOR, "dynamodb:PutItem", ADDRESSES.metadata_table, True),
        (PROCESSOR, "dynamodb:Scan", ADDRESSES.metadata_table, False),
        (PROCESSOR, "logs:CreateLogGroup", ADDRESSES.log_group("processor"), False),
        (PROCESSOR, "kms:Decrypt", "*", False),
    ],
)
def test_permissions(spec: FunctionSpec, action: str, resource: str, allowed: bool) -> None:  # noqa: FBT001
    assert allowed == any(
        action == granted_action and fnmatch.fnmatchcase(resource, granted_resource)
        for granted_action, granted_resource in granted(spec)
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
    for spec in SPECS:
        for statement in statements(part(deployed, spec, "-policy").inputs["policy"]):
            for resource in cast("list[str]", statement["Resource"]):
                assert resource.removesuffix("/incoming/*").removesuffix("/processed/*") in there
