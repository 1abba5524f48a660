"""SQS queues encrypt their messages with a KMS key.

SQS encrypts the messages of new queues with keys that it owns, but a queue that was there before 2022 stays
as it was, so with `key: aws` that has to be said as well.
"""

from __future__ import annotations

from tap_guardrails.aws import KEY_SETTING, QUEUE, named_key
from tap_guardrails.model import Outcomes, Resource, Settings, Stack, StackRule


def check(queue: Resource, stack: Stack, settings: Settings) -> Outcomes:
    """Check a queue."""
    key = queue.at("kmsMasterKeyId")
    if settings.enum("key") == "aws" and queue.as_set(key).text().absent:
        managed = queue.as_set(queue.at("sqsManagedSseEnabled")).boolean()
        problem = "Nothing says that the queue's messages are encrypted."
        yield from managed.must(bool, problem=problem, required="true, or a KMS key in `kmsMasterKeyId`")
    else:
        yield from named_key(queue, stack, key, settings.enum("key"))


RULE = StackRule(
    name="sqs-encryption",
    title="SQS queues are encrypted",
    description="SQS queues encrypt their messages with a KMS key of the customer's.",
    why="Who may read messages is then also a matter of the key, which can be audited and taken away.",
    fix="Set `kmsMasterKeyId` on the queue to the ARN, id or alias of your key.",
    severity="medium",
    url="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
    "sqs-server-side-encryption.html",
    controls=("sqs-1: FSBP SQS.1, NIST SC-28",),
    types=QUEUE.types,
    settings=(KEY_SETTING,),
    check=check,
)
