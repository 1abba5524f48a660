"""The two functions: what tells them apart, how they are made, and how events reach them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi_aws as aws

from tap_stack.roles import FunctionRole, api_handler_policy, processor_policy

if TYPE_CHECKING:
    import pulumi

    from tap_stack.context import Context
    from tap_stack.names import Addresses

RUNTIME = "python3.13"


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """What tells one function from the other."""

    component: str
    """The middle of its names: `tap-<component>-<suffix>`."""
    description: str
    handler: str
    memory_mb: int
    timeout_seconds: int
    policy: Callable[[Addresses], str]
    """The document that says what the function may do."""


API_HANDLER = FunctionSpec(
    component="api-handler",
    description="Ingests items, queues their processing and serves their status",
    handler="api_handler.app.handler",
    memory_mb=512,
    timeout_seconds=30,
    policy=api_handler_policy,
)

PROCESSOR = FunctionSpec(
    component="processor",
    description="Processes the items that the work queue names",
    handler="processor.app.handler",
    memory_mb=1024,
    timeout_seconds=300,
    policy=processor_policy,
)


METRICS_NAMESPACE = "TapStack"
LAMBDA_LOG_LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}
"""Python's log levels that Lambda spells otherwise. It drops what is below its own, which is INFO unless set.

https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
"""
ASYNC_RETRIES = 2
ASYNC_MAX_AGE_SECONDS = 60 * 60


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The resources that both functions work with."""

    key: aws.kms.Key
    bucket: aws.s3.Bucket
    table: aws.dynamodb.Table
    work: aws.sqs.Queue
    failed_events: aws.sqs.Queue


def create_function(
    context: Context,
    spec: FunctionSpec,
    *,
    role: FunctionRole,
    dependencies: Dependencies,
    code: pulumi.Input[pulumi.Archive],
    reserved_concurrency: int = -1,
) -> aws.lambda_.Function:
    """Create a function, its log group first.

    Were the group not there before the first run, Lambda would create one that is kept for ever and
    encrypted with another key; the role may not create groups, so it could not even do that.

    Events of asynchronous invocations that failed go to a queue of their own: SQS moves back only what a
    redrive policy has moved into a dead letter queue, and nothing that was sent there directly.

    Args:
        context: The component.
        spec: Which function.
        role: Its role; the function waits for the role's policy as well.
        dependencies: The resources that it works with.
        code: Its zip.
        reserved_concurrency: Concurrent runs kept for it and its limit; -1 for neither.
    """
    log_level = context.settings.log_level
    logs = aws.cloudwatch.LogGroup(
        context.logical(f"{spec.component}-logs"),
        name=context.names.log_group(spec.component),
        retention_in_days=context.settings.log_retention_in_days,
        kms_key_id=dependencies.key.arn,
        tags=context.tags,
        opts=context.child(),
    )
    function = aws.lambda_.Function(
        context.logical(spec.component),
        name=context.names.of(spec.component),
        description=spec.description,
        role=role.role.arn,
        runtime=RUNTIME,
        architectures=[context.settings.architecture],
        handler=spec.handler,
        code=code,
        memory_size=spec.memory_mb,
        timeout=spec.timeout_seconds,
        reserved_concurrent_executions=reserved_concurrency,
        tracing_config={"mode": "Active"},
        logging_config={
            "log_format": "JSON",
            "application_log_level": LAMBDA_LOG_LEVELS.get(log_level, log_level),
            "log_group": logs.name,
        },
        kms_key_arn=dependencies.key.arn,
        environment={
            "variables": {
                "TABLE_NAME": dependencies.table.name,
                "BUCKET_NAME": dependencies.bucket.bucket,
                "QUEUE_URL": dependencies.work.url,
                "KMS_KEY_ARN": dependencies.key.arn,
                "ENVIRONMENT_SUFFIX": context.names.suffix,
                "LOG_LEVEL": log_level,
                "POWERTOOLS_SERVICE_NAME": f"tap-{spec.component}",
                "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
            }
        },
        tags=context.tags,
        opts=context.child(depends_on=[logs, role.policy]),
    )
    aws.lambda_.FunctionEventInvokeConfig(
        context.logical(f"{spec.component}-async"),
        function_name=function.name,
        maximum_retry_attempts=ASYNC_RETRIES,
        maximum_event_age_in_seconds=ASYNC_MAX_AGE_SECONDS,
        destination_config={"on_failure": {"destination": dependencies.failed_events.arn}},
        opts=context.child(),
    )
    return function


BATCH_SIZE = 10
"""Messages a run gets at most."""


def create_api_url(context: Context, api_handler: aws.lambda_.Function) -> aws.lambda_.FunctionUrl:
    """Create the URL of the API. Callers sign their requests and need leave in their own IAM policies.

    They need `lambda:InvokeFunctionUrl` and `lambda:InvokeFunction` on the function:
    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    """
    return aws.lambda_.FunctionUrl(
        context.logical("api-handler-url"),
        function_name=api_handler.name,
        authorization_type="AWS_IAM",
        opts=context.child(),
    )


def create_work_source(context: Context, work: aws.sqs.Queue, processor: aws.lambda_.Function) -> None:
    """Let the work queue feed the processor, which answers for each message of a batch by itself."""
    aws.lambda_.EventSourceMapping(
        context.logical("processor-source"),
        event_source_arn=work.arn,
        function_name=processor.name,
        batch_size=BATCH_SIZE,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config={"maximum_concurrency": context.settings.processor_maximum_concurrency},
        tags=context.tags,
        opts=context.child(),
    )
