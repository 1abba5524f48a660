"""One role a function, with its permissions inline: exact resources and actions.

Two resources cannot be exact, and are the only wildcards: X-Ray's actions have no resource to name
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html), and the name of a
log stream is chosen by Lambda. Leave to use the key is in the key's own policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi_aws as aws

from tap_stack.names import FAILED_EVENTS, WORK
from tap_stack.policy_document import Statement, allow, document

if TYPE_CHECKING:
    from tap_stack.context import Context
    from tap_stack.functions import FunctionSpec
    from tap_stack.names import Addresses


def _every_function(addresses: Addresses, function: str) -> list[Statement]:
    return [
        allow(
            "WriteLogs",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [f"{addresses.log_group(function)}:log-stream:*"],
        ),
        allow("SendTraces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"]),
        allow("KeepFailedEvents", ["sqs:SendMessage"], [addresses.queue(FAILED_EVENTS)]),
    ]


def assume_role_policy() -> str:
    """Return the trust of a function's role: Lambda alone.

    No aws:SourceAccount is asked for: a role is passed to a service within its own account only, so there
    is no deputy to confuse.
    """
    return document(
        [
            {
                "Sid": "LambdaAssumesRole",
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ]
    )


def _see_bucket(addresses: Addresses) -> Statement:
    # Without it S3 answers 403, not 404, for an object that is not there.
    return allow("SeeBucket", ["s3:ListBucket"], [addresses.bucket])


def api_handler_policy(addresses: Addresses) -> str:
    """Return what the API handler may do."""
    incoming = f"{addresses.bucket}/incoming/*"
    return document(
        [
            *_every_function(addresses, "api-handler"),
            _see_bucket(addresses),
            allow("IngestItems", ["s3:GetObject", "s3:PutObject"], [incoming]),
            allow(
                "KeepMetadata",
                ["dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"],
                [addresses.metadata_table],
            ),
            allow("QueueWork", ["sqs:GetQueueAttributes", "sqs:SendMessage"], [addresses.queue(WORK)]),
        ]
    )


def processor_policy(addresses: Addresses) -> str:
    """Return what the processor may do."""
    incoming, processed = f"{addresses.bucket}/incoming/*", f"{addresses.bucket}/processed/*"
    return document(
        [
            *_every_function(addresses, "processor"),
            _see_bucket(addresses),
            allow(
                "TakeWork",
                [
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ReceiveMessage",
                ],
                [addresses.queue(WORK)],
            ),
            allow("ReadItems", ["s3:GetObject"], [incoming]),
            allow("KeepResults", ["s3:GetObject", "s3:PutObject"], [processed]),
            allow(
                "UpdateMetadata",
                ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
                [addresses.metadata_table],
            ),
        ]
    )


@dataclass(frozen=True, slots=True)
class FunctionRole:
    """A role, and the policy without which it can do nothing."""

    role: aws.iam.Role
    policy: aws.iam.RolePolicy


def create_role(context: Context, spec: FunctionSpec) -> FunctionRole:
    """Create the role of a function."""
    role = aws.iam.Role(
        context.logical(f"{spec.component}-role"),
        name=context.addresses.apply(lambda addresses: addresses.role_name(spec.component)),
        description=f"What {context.names.of(spec.component)} may do",
        assume_role_policy=assume_role_policy(),
        permissions_boundary=context.settings.permissions_boundary,
        tags=context.tags,
        opts=context.child(),
    )
    policy = aws.iam.RolePolicy(
        context.logical(f"{spec.component}-policy"),
        name=context.names.of(spec.component),
        role=role.name,
        policy=context.addresses.apply(spec.policy),
        opts=context.child(),
    )
    return FunctionRole(role, policy)
