"""What each function may do: one table a function, exact resources.

Two resources cannot be exact, and are the only wildcards: X-Ray's actions have no resource to name
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html), and the name of a
log stream is chosen by Lambda. Leave to use the key is in the key's own policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_stack.policy_document import Statement, allow, document

if TYPE_CHECKING:
    from tap_stack.names import Addresses


def _every_function(addresses: Addresses, function: str) -> list[Statement]:
    return [
        allow(
            "WriteLogs",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [f"{addresses.log_group(function)}:log-stream:*"],
        ),
        allow("SendTraces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"]),
        allow("KeepFailedEvents", ["sqs:SendMessage"], [addresses.dead_letter_queue]),
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


def api_handler_policy(addresses: Addresses) -> str:
    """Return what the API handler may do."""
    return document(
        [
            *_every_function(addresses, addresses.names.api_handler),
            allow("TakeDocumentsIn", ["s3:PutObject", "s3:GetObject"], [f"{addresses.bucket}/incoming/*"]),
            allow("HandResultsOut", ["s3:GetObject"], [f"{addresses.bucket}/processed/*"]),
            allow("CheckBucket", ["s3:ListBucket"], [addresses.bucket]),
            allow(
                "KeepMetadata",
                [
                    "dynamodb:DescribeTable",
                    "dynamodb:GetItem",
                    "dynamodb:PutItem",
                    "dynamodb:Query",
                    "dynamodb:Scan",
                    "dynamodb:UpdateItem",
                ],
                [addresses.metadata_table],
            ),
            allow("QueueWork", ["sqs:GetQueueAttributes", "sqs:SendMessage"], [addresses.work_queue]),
        ]
    )


def processor_policy(addresses: Addresses) -> str:
    """Return what the processor may do."""
    return document(
        [
            *_every_function(addresses, addresses.names.processor),
            allow(
                "TakeWork",
                [
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ReceiveMessage",
                ],
                [addresses.work_queue],
            ),
            allow("ReadDocuments", ["s3:GetObject"], [f"{addresses.bucket}/incoming/*"]),
            allow("WriteResults", ["s3:PutObject"], [f"{addresses.bucket}/processed/*"]),
            allow(
                "UpdateMetadata",
                ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"],
                [addresses.metadata_table],
            ),
        ]
    )
