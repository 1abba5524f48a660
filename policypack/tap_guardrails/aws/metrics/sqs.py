"""`AWS/SQS`.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws.metrics.metric import COUNT, STATISTICS, Metric, Range, sets

QUEUE: Final = sets("QueueName")
LONGEST_RETENTION_SECONDS: Final = 1_209_600
"""Fourteen days, after which SQS deletes a message."""

TALLY: Final = Metric(QUEUE, "Count", COUNT)

METRICS: Final = {
    "ApproximateAgeOfOldestMessage": Metric(QUEUE, "Seconds", Range(0, LONGEST_RETENTION_SECONDS)),
    "ApproximateNumberOfGroupsWithInflightMessages": TALLY,
    "ApproximateNumberOfMessagesDelayed": TALLY,
    "ApproximateNumberOfMessagesNotVisible": TALLY,
    "ApproximateNumberOfMessagesVisible": TALLY,
    "ApproximateNumberOfNoisyGroups": TALLY,
    "NumberOfDeduplicatedSentMessages": TALLY,
    "NumberOfEmptyReceives": TALLY,
    "NumberOfMessagesDeleted": TALLY,
    "NumberOfMessagesReceived": TALLY,
    "NumberOfMessagesSent": TALLY,
    "SentMessageSize": Metric(QUEUE, "Bytes", COUNT, statistics=STATISTICS),
}
