"""How events reach the functions: callers over HTTPS the one, the work queue the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_aws as aws

if TYPE_CHECKING:
    from tap_stack.context import Context

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
