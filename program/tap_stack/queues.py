"""The work queue, the dead letter queue for what cannot be processed, and the queue of failed events."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from tap_stack.functions import PROCESSOR
from tap_stack.policy_document import deny_insecure_transport, document

if TYPE_CHECKING:
    from tap_stack.context import Context
    from tap_stack.names import Addresses

_DAY = 24 * 60 * 60
DEAD_LETTER_RETENTION_SECONDS = 14 * _DAY
"""The longest that SQS keeps a message."""
WORK_RETENTION_SECONDS = 4 * _DAY
VISIBILITY_TIMEOUT_SECONDS = 6 * PROCESSOR.timeout_seconds
"""https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html asks for six timeouts."""
MAX_RECEIVES = 5
"""The same page asks for five at least, so that a throttled function does not fill the dead letter queue."""
DATA_KEY_REUSE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Queues:
    """Both queues."""

    work: aws.sqs.Queue
    dead_letters: aws.sqs.Queue
    failed_events: aws.sqs.Queue


def queue_policy(queue: str) -> str:
    """Return the policy of a queue, by its ARN: TLS only."""
    return document([deny_insecure_transport("sqs:*", [queue])])


def redrive_allow_policy(source: str) -> str:
    """Return the policy of a dead letter queue that takes what one queue, by its ARN, gives up."""
    return json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [source]})


def create_queues(context: Context, key: aws.kms.Key) -> Queues:
    """Create the queues; the redrive that joins two of them is one that no other queue may use."""
    dead_letters = aws.sqs.Queue(
        context.logical("dead-letter-queue"),
        name=context.names.dead_letter_queue,
        message_retention_seconds=DEAD_LETTER_RETENTION_SECONDS,
        kms_master_key_id=key.arn,
        kms_data_key_reuse_period_seconds=DATA_KEY_REUSE_SECONDS,
        tags=context.tags,
        opts=context.child(),
    )
    failed_events = aws.sqs.Queue(
        context.logical("failed-events-queue"),
        name=context.names.failed_events_queue,
        message_retention_seconds=DEAD_LETTER_RETENTION_SECONDS,
        kms_master_key_id=key.arn,
        kms_data_key_reuse_period_seconds=DATA_KEY_REUSE_SECONDS,
        tags=context.tags,
        opts=context.child(),
    )
    work = aws.sqs.Queue(
        context.logical("work-queue"),
        name=context.names.work_queue,
        message_retention_seconds=WORK_RETENTION_SECONDS,
        visibility_timeout_seconds=VISIBILITY_TIMEOUT_SECONDS,
        receive_wait_time_seconds=20,
        redrive_policy=pulumi.Output.json_dumps(
            {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": MAX_RECEIVES}
        ),
        kms_master_key_id=key.arn,
        kms_data_key_reuse_period_seconds=DATA_KEY_REUSE_SECONDS,
        tags=context.tags,
        opts=context.child(),
    )
    aws.sqs.RedriveAllowPolicy(
        context.logical("dead-letter-queue-sources"),
        queue_url=dead_letters.url,
        redrive_allow_policy=context.addresses.apply(
            lambda addresses: redrive_allow_policy(addresses.work_queue)
        ),
        opts=context.child(),
    )
    _require_tls(context, "work-queue", work, lambda addresses: addresses.work_queue)
    _require_tls(context, "dead-letter-queue", dead_letters, lambda addresses: addresses.dead_letter_queue)
    _require_tls(
        context, "failed-events-queue", failed_events, lambda addresses: addresses.failed_events_queue
    )
    return Queues(work, dead_letters, failed_events)


def _require_tls(
    context: Context, suffix: str, queue: aws.sqs.Queue, arn: Callable[[Addresses], str]
) -> None:
    aws.sqs.QueuePolicy(
        context.logical(f"{suffix}-policy"),
        queue_url=queue.url,
        policy=context.addresses.apply(lambda addresses: queue_policy(arn(addresses))),
        opts=context.child(),
    )
