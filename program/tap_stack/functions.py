"""A function and its log group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi_aws as aws

from tap_stack.plans import RUNTIME

if TYPE_CHECKING:
    import pulumi

    from tap_stack.plans import FunctionPlan
    from tap_stack.roles import FunctionRole
    from tap_stack.scope import Scope

METRICS_NAMESPACE = "TapStack"
ASYNC_RETRIES = 2
ASYNC_MAX_AGE_SECONDS = 60 * 60


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The resources that both functions work with."""

    key: aws.kms.Key
    bucket: aws.s3.Bucket
    table: aws.dynamodb.Table
    work: aws.sqs.Queue
    dead_letters: aws.sqs.Queue


def _environment(scope: Scope, plan: FunctionPlan, around: Surroundings) -> dict[str, pulumi.Input[str]]:
    return {
        "TABLE_NAME": around.table.name,
        "BUCKET_NAME": around.bucket.bucket,
        "QUEUE_URL": around.work.url,
        "KMS_KEY_ARN": around.key.arn,
        "ENVIRONMENT_SUFFIX": scope.names.suffix,
        "LOG_LEVEL": scope.settings.log_level,
        "POWERTOOLS_SERVICE_NAME": plan.service,
        "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
    }


def create_function(
    scope: Scope,
    plan: FunctionPlan,
    *,
    role: FunctionRole,
    around: Surroundings,
    code: pulumi.Input[pulumi.Archive],
    reserved_concurrency: int = -1,
) -> aws.lambda_.Function:
    """Create a function, its log group first.

    Were the group not there before the first run, Lambda would create one that is kept for ever and
    encrypted with another key; the role may not create groups, so it could not even do that.

    Args:
        scope: The component.
        plan: Which function.
        role: Its role; the function waits for the role's policy as well.
        around: The resources that it works with.
        code: Its zip.
        reserved_concurrency: Concurrent runs kept for it and its limit; -1 for neither.
    """
    logs = aws.cloudwatch.LogGroup(
        scope.logical(f"{plan.thing}-logs"),
        name=scope.names.log_group(scope.names.of(plan.thing)),
        retention_in_days=scope.settings.log_retention_in_days,
        kms_key_id=around.key.arn,
        tags=scope.tags,
        opts=scope.child(),
    )
    function = aws.lambda_.Function(
        scope.logical(plan.thing),
        name=scope.names.of(plan.thing),
        description=plan.description,
        role=role.role.arn,
        runtime=RUNTIME,
        architectures=[scope.settings.architecture],
        handler=plan.handler,
        code=code,
        memory_size=plan.memory_mb,
        timeout=plan.timeout_seconds,
        reserved_concurrent_executions=reserved_concurrency,
        tracing_config={"mode": "Active"},
        logging_config={"log_format": "JSON", "log_group": logs.name},
        environment={"variables": _environment(scope, plan, around)},
        tags=scope.tags,
        opts=scope.child(depends_on=[logs, role.policy]),
    )
    aws.lambda_.FunctionEventInvokeConfig(
        scope.logical(f"{plan.thing}-async"),
        function_name=function.name,
        maximum_retry_attempts=ASYNC_RETRIES,
        maximum_event_age_in_seconds=ASYNC_MAX_AGE_SECONDS,
        destination_config={"on_failure": {"destination": around.dead_letters.arn}},
        opts=scope.child(),
    )
    return function
