"""The work queue, the dead letter queue for what cannot be processed, and the queue of failed events."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_aws as aws

from tap_stack.functions import PROCESSOR
from tap_stack.names import DEAD_LETTERS, FAILED_EVENTS, WORK
from tap_stack.policy_document import deny_insecure_transport, document

if TYPE_CHECKING:
    from tap_stack.context import Context

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
    """The three queues."""

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
    create = partial(_create_queue, context, key)
    dead_letters = create("dead-letter-queue", DEAD_LETTERS, DEAD_LETTER_RETENTION_SECONDS)
    failed_events = create("failed-events-queue", FAILED_EVENTS, DEAD_LETTER_RETENTION_SECONDS)
    work = create(
        "work-queue",
        WORK,
        WORK_RETENTION_SECONDS,
        visibility_timeout_seconds=VISIBILITY_TIMEOUT_SECONDS,
        receive_wait_time_seconds=20,
        redrive_policy=pulumi.Output.json_dumps(
            {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": MAX_RECEIVES}
        ),
    )
    aws.sqs.RedriveAllowPolicy(
        context.logical("dead-letter-queue-sources"),
        queue_url=dead_letters.url,
        redrive_allow_policy=context.addresses.apply(
            lambda addresses: redrive_allow_policy(addresses.queue(WORK))
        ),
        opts=context.child(),
    )
    return Queues(work, dead_letters, failed_events)


def _create_queue(
    context: Context,
    key: aws.kms.Key,
    logical: str,
    component: str,
    retention_seconds: int,
    **more: Any,  # noqa: ANN401 - a queue's other arguments
) -> aws.sqs.Queue:
    """Create a queue that is encrypted and takes requests over TLS only."""
    queue = aws.sqs.Queue(
        context.logical(logical),
        name=context.names.of(component),
        message_retention_seconds=retention_seconds,
        kms_master_key_id=key.arn,
        kms_data_key_reuse_period_seconds=DATA_KEY_REUSE_SECONDS,
        tags=context.tags,
        opts=context.child(),
        **more,
    )
    aws.sqs.QueuePolicy(
        context.logical(f"{logical}-policy"),
        queue_url=queue.url,
        policy=context.addresses.apply(lambda addresses: queue_policy(addresses.queue(component))),
        opts=context.child(),
    )
    return queue
