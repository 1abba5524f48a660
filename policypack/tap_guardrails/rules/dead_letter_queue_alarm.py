"""Each dead letter queue in the stack has an effective alarm on its depth.

The metric is ApproximateNumberOfMessagesVisible. NumberOfMessagesSent does not count what SQS itself moves
to a dead letter queue:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws import QUEUE
from tap_guardrails.aws.alarms import ALARM_SETTINGS, RequiredMetric
from tap_guardrails.aws.functions import SOURCES, dead_letters
from tap_guardrails.model import NotApplicable, Outcomes, Resource, Settings, Stack, StackRule

DEPTH: Final = RequiredMetric(
    "AWS/SQS",
    "ApproximateNumberOfMessagesVisible",
    "QueueName",
    QUEUE,
    problem="No effective alarm watches the depth of the dead letter queue.",
    required="an alarm on AWS/SQS ApproximateNumberOfMessagesVisible with the dimension QueueName, for "
    "this queue",
)
DEAD_LETTER_ARN: Final = "the ARN of the dead letter target, or JSON with it"


def check(resource: Resource, stack: Stack, settings: Settings) -> Outcomes:
    """Check a queue, and whatever can name one as its dead letter target."""
    letters = stack.memoized(dead_letters)
    if not letters.concern(resource.urn):
        yield NotApplicable("It is no dead letter queue, and names none that cannot be told.")
        return
    if resource.urn in letters.sources.certain:
        yield from DEPTH.missing(resource, stack, settings)
    elif resource.urn in letters.sources.possible and any(DEPTH.missing(resource, stack, settings)):
        yield QUEUE.at(resource, QUEUE.name_property).undecided(
            "an alarm on its depth if it is a dead letter queue",
            "Undecided before deployment: this may be a dead letter queue, and no alarm watches its depth.",
            "Make each dead letter target from one queue's ARN only, or put an alarm on this queue too.",
        )
    if resource.urn in letters.unreadable:
        yield letters.unreadable[resource.urn].invalid(DEAD_LETTER_ARN)
    if resource.urn in letters.open and not all_watched(stack, settings):
        ref = letters.open[resource.urn]
        yield ref.undecided(
            DEAD_LETTER_ARN,
            "Undecided before deployment: any queue may be the target, and not all have an alarm.",
            "Make the target from the dead letter queue's own ARN output, so that the dependency tells it.",
        )


def all_watched(stack: Stack, settings: Settings) -> bool:
    """Tell whether the depth of every queue is watched, so that it does not matter which one it is."""
    return stack.memoized(
        lambda one: not any(any(DEPTH.missing(queue, one, settings)) for queue in one.of(*QUEUE.types)),
        (all_watched, settings.key()),
    )


RULE = StackRule(
    name="dead-letter-queue-alarm",
    title="Dead letter queues have an alarm on depth",
    description="Each queue that is a dead letter target is watched by an effective alarm on its depth.",
    why="What lies in a dead letter queue was given up on; if no one is told, it is lost when it expires.",
    fix="Add a metric alarm on AWS/SQS ApproximateNumberOfMessagesVisible, greater than 0, with dimension "
    "QueueName set to the dead letter queue's name, and an SNS topic in `alarmActions`.",
    severity="high",
    url="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
    "dead-letter-queues-alarms-cloudwatch.html",
    controls=("cloudwatch-15: NIST CA-7 SI-4(5)",),
    types=tuple(dict.fromkeys((*QUEUE.types, *SOURCES))),
    settings=ALARM_SETTINGS,
    check=check,
)
