"""Synthetic stacks: teams alike, each with what the policies read and some of what they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.policypack.harness.cases import CaseResource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ACCOUNT: Final = "123456789012"
KEY: Final = f"arn:aws:kms:eu-west-2:{ACCOUNT}:key/1"
TOPIC: Final = f"arn:aws:sns:eu-west-2:{ACCOUNT}:alarms"
RESOURCES_PER_TEAM: Final = 25
TAGS: Final = {"Project": "tap", "Environment": "dev", "ManagedBy": "pulumi", "Owner": "platform"}


def synthetic_stack(size: int) -> list[CaseResource]:
    """Return a stack of `size` resources, a whole number of teams."""
    teams, rest = divmod(size, RESOURCES_PER_TEAM)
    if rest:
        raise ValueError(f"a stack has a multiple of {RESOURCES_PER_TEAM} resources, not {size}")
    return [resource for number in range(teams) for resource in team(f"team{number}")]


def queue_arn(name: str) -> str:
    """Return a queue's ARN."""
    return f"arn:aws:sqs:eu-west-2:{ACCOUNT}:{name}"


def alarm(
    name: str, namespace: str, metric: str, dimensions: Mapping[str, str], dependency: str
) -> CaseResource:
    """Return an alarm that can fire and tells a topic."""
    return CaseResource(
        f"{name}-alarm",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        {
            "name": f"{name}-alarm",
            "namespace": namespace,
            "metricName": metric,
            "dimensions": dimensions,
            "statistic": "Sum",
            "period": 300,
            "evaluationPeriods": 2,
            "comparisonOperator": "GreaterThanThreshold",
            "threshold": 0,
            "treatMissingData": "notBreaching",
            "alarmActions": [TOPIC],
            "okActions": [TOPIC],
            "actionsEnabled": True,
            "tags": TAGS,
            "tagsAll": TAGS,
        },
        {"dimensions": [dependency]},
    )


def function(team_name: str, name: str) -> Iterator[CaseResource]:
    """Yield a function with its role, policy, log group, async target and alarm."""
    yield CaseResource(
        f"{name}-role",
        "aws:iam/role:Role",
        {
            "name": f"{name}-role",
            "assumeRolePolicy": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":'
            '{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}',
            "tags": TAGS,
        },
    )
    yield CaseResource(
        f"{name}-policy",
        "aws:iam/rolePolicy:RolePolicy",
        {
            "role": f"{name}-role",
            "policy": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:PutItem",'
            f'"dynamodb:GetItem"],"Resource":"arn:aws:dynamodb:eu-west-2:{ACCOUNT}:table/{team_name}"}}]}}',
        },
        {"role": [f"{name}-role"]},
    )
    yield CaseResource(
        f"{name}-logs",
        "aws:cloudwatch/logGroup:LogGroup",
        {
            "name": f"/aws/lambda/{name}",
            "retentionInDays": 30,
            "kmsKeyId": KEY,
            "tags": TAGS,
        },
    )
    yield CaseResource(
        name,
        "aws:lambda/function:Function",
        {
            "name": name,
            "role": f"arn:aws:iam::{ACCOUNT}:role/{name}-role",
            "runtime": "python3.13",
            "handler": "app.handler",
            "memorySize": 512,
            "timeout": 30,
            "tracingConfig": {"mode": "Active"},
            "loggingConfig": {"logFormat": "JSON", "logGroup": f"/aws/lambda/{name}"},
            "environment": {"variables": {"TABLE_NAME": team_name, "LOG_LEVEL": "INFO"}},
            "deadLetterConfig": {"targetArn": queue_arn(f"{team_name}-dead")},
            "tags": TAGS,
            "tagsAll": TAGS,
        },
        {"role": [f"{name}-role"], "loggingConfig": [f"{name}-logs"]},
    )
    yield CaseResource(
        f"{name}-live",
        "aws:lambda/alias:Alias",
        {"name": "live", "functionName": name, "functionVersion": "1"},
    )
    yield alarm(name, "AWS/Lambda", "Errors", {"FunctionName": name}, name)
    yield alarm(f"{name}-slow", "AWS/Lambda", "Duration", {"FunctionName": name}, name)


def team(name: str) -> Iterator[CaseResource]:
    """Yield one team's twenty-five resources."""
    yield CaseResource(
        f"{name}-key",
        "aws:kms/key:Key",
        {"enableKeyRotation": True, "deletionWindowInDays": 30, "tags": TAGS},
    )
    yield CaseResource(f"{name}-alias", "aws:kms/alias:Alias", {"name": f"alias/{name}"})
    for part in ("api", "worker"):
        yield from function(name, f"{name}-{part}")
    yield CaseResource(
        f"{name}-table",
        "aws:dynamodb/table:Table",
        {
            "name": name,
            "hashKey": "id",
            "billingMode": "PAY_PER_REQUEST",
            "attributes": [{"name": "id", "type": "S"}],
            "pointInTimeRecovery": {"enabled": True},
            "serverSideEncryption": {"enabled": True, "kmsKeyArn": KEY},
            "tags": TAGS,
        },
    )
    yield alarm(f"{name}-reads", "AWS/DynamoDB", "ReadThrottleEvents", {"TableName": name}, f"{name}-table")
    yield alarm(f"{name}-writes", "AWS/DynamoDB", "WriteThrottleEvents", {"TableName": name}, f"{name}-table")
    dead = f"{name}-dead"
    yield CaseResource(dead, "aws:sqs/queue:Queue", {"name": dead, "kmsMasterKeyId": KEY, "tags": TAGS})
    yield CaseResource(
        f"{name}-work",
        "aws:sqs/queue:Queue",
        {
            "name": f"{name}-work",
            "kmsMasterKeyId": KEY,
            "redrivePolicy": f'{{"deadLetterTargetArn":"{queue_arn(dead)}","maxReceiveCount":5}}',
            "tags": TAGS,
        },
        {"redrivePolicy": [dead]},
    )
    yield alarm(dead, "AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": dead}, dead)
    yield CaseResource(
        f"{name}-topic", "aws:sns/topic:Topic", {"name": f"{name}-topic", "kmsMasterKeyId": KEY, "tags": TAGS}
    )
    yield CaseResource(f"{name}-board", "aws:cloudwatch/dashboard:Dashboard", {"dashboardName": name})
    yield CaseResource(f"{name}-component", "team:index:Service", {})
