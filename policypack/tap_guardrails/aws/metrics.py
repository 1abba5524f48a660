"""The metrics that AWS sends: where, with which dimensions, and how each behaves.

Names and dimensions are generated (`tables/metrics.json`); how a metric behaves, no published model says:
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from __future__ import annotations

import functools
import math
import re
from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.tables import table
from tap_guardrails.model.values import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

INFINITY: Final = math.inf


@record
class Range:
    """The values that something can take, both ends included."""

    low: float = -INFINITY
    high: float = INFINITY


COUNT: Final = Range(0)
NOUGHT_OR_ONE: Final = Range(0, 1)
ONE: Final = Range(1, 1)
POSITIVE: Final = Range(1)
PERCENT: Final = Range(0, 100)

STATISTICS: Final = frozenset({"SampleCount", "Average", "Sum", "Minimum", "Maximum"})
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""

EXTENDED_STATISTIC: Final = re.compile(
    r"(?P<name>p|tm|tc|ts|wm)(100|\d{1,2}(\.\d{1,10})?)"
    r"|(?P<trimmed>TM|TC|TS|WM|PR)\((\d+(\.\d+)?%?)?:(\d+(\.\d+)?%?)?\)"
    r"|(?P<middle>IQM)",
    re.IGNORECASE,
)
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html"""

WITHOUT_SAMPLE_COUNT: Final = frozenset({"Average", "Sum", "Minimum", "Maximum"})
OF_EVENTS: Final = frozenset({"Average", "Sum", "Maximum"})


@record
class Behaviour:
    """How a metric behaves.

    Attributes:
        unit: Its unit, the only one that has data; empty when it is not known.
        sample: The values of a single sample.
        sparse: Whether AWS sends it only when there is something to tell, so that no data is the good news.
        statistics: The plain statistics that say something about what the metric counts.
    """

    unit: str = ""
    sample: Range = Range()
    sparse: bool = False
    statistics: frozenset[str] = WITHOUT_SAMPLE_COUNT


@record
class Metric:
    """A metric that AWS sends.

    Attributes:
        dimensions: The sets of dimensions that it is sent with; others have no data.
        behaviour: How it behaves.
    """

    dimensions: tuple[frozenset[str], ...]
    behaviour: Behaviour


LONGEST_RUN_MILLISECONDS: Final = 900_000
"""A function's longest timeout, 15 minutes; what exceeds a function's timeout is ended there."""

LONGEST_RETENTION_SECONDS: Final = 1_209_600
"""Fourteen days, after which SQS deletes a message."""

BEHAVIOURS: Final[Mapping[str, tuple[tuple[Behaviour, str], ...]]] = {
    "AWS/DynamoDB": (
        (
            Behaviour("Count", POSITIVE, sparse=True, statistics=STATISTICS),
            (
                "ConditionalCheckFailedRequests FaultInjectionServiceInducedErrors "
                "OnlineIndexThrottleEvents ReadAccountLimitThrottleEvents "
                "ReadKeyRangeThroughputThrottleEvents ReadMaxOnDemandThroughputThrottleEvents "
                "ReadProvisionedThroughputThrottleEvents ReadThrottleEvents SystemErrors "
                "ThrottledRequests TransactionConflict UserErrors WriteAccountLimitThrottleEvents "
                "WriteKeyRangeThroughputThrottleEvents WriteMaxOnDemandThroughputThrottleEvents "
                "WriteProvisionedThroughputThrottleEvents WriteThrottleEvents"
            ),
        ),
        (
            Behaviour("Count", COUNT),
            (
                "AccountMaxReads AccountMaxTableLevelReads AccountMaxTableLevelWrites AccountMaxWrites "
                "ConsumedChangeDataCaptureUnits ConsumedReadCapacityUnits ConsumedWriteCapacityUnits "
                "FailedToReplicateRecordCount OnDemandMaxReadRequestUnits OnDemandMaxWriteRequestUnits "
                "OnlineIndexConsumedWriteCapacity ProvisionedReadCapacityUnits "
                "ProvisionedWriteCapacityUnits ThrottledPutRecordCount TimeToLiveDeletedItemCount"
            ),
        ),
        (Behaviour("Count", PERCENT), "OnlineIndexPercentageProgress"),
        (Behaviour("Milliseconds", COUNT, statistics=STATISTICS), "SuccessfulRequestLatency"),
        (
            Behaviour("Count", COUNT, statistics=STATISTICS),
            "PendingReplicationCount ReturnedItemCount ReturnedRecordsCount",
        ),
        (Behaviour("Bytes", COUNT, statistics=STATISTICS), "ReturnedBytes"),
        (Behaviour("Milliseconds", COUNT), "AgeOfOldestUnreplicatedRecord ReplicationLatency"),
        (
            Behaviour("Percent", PERCENT),
            (
                "AccountProvisionedReadCapacityUtilization AccountProvisionedWriteCapacityUtilization "
                "MaxProvisionedTableReadCapacityUtilization MaxProvisionedTableWriteCapacityUtilization"
            ),
        ),
    ),
    "AWS/Lambda": (
        (Behaviour("Count", ONE, statistics=STATISTICS), "Invocations"),
        (Behaviour("Count", NOUGHT_OR_ONE, statistics=OF_EVENTS), "Errors Throttles"),
        (
            Behaviour("Count", COUNT, sparse=True),
            "AsyncEventsDropped DeadLetterErrors DestinationDeliveryFailures RecursiveInvocationsDropped",
        ),
        (
            Behaviour("Count", COUNT),
            (
                "ApproximateRunningDurableExecutions AsyncEventsReceived ClaimedAccountConcurrency "
                "ConcurrentExecutions DeletedEventCount DroppedEventCount DurableExecutionFailed "
                "DurableExecutionOperations DurableExecutionStarted DurableExecutionStopped "
                "DurableExecutionSucceeded DurableExecutionTimedOut FailedInvokeEventCount "
                "FilteredOutEventCount InvokedEventCount OffsetLag "
                "OnFailureDestinationDeliveredEventCount PolledEventCount "
                "ProvisionedConcurrencyInvocations ProvisionedConcurrencySpilloverInvocations "
                "ProvisionedConcurrentExecutions ProvisionedPollers SignatureValidationErrors "
                "UnreservedConcurrentExecutions Url4xxCount Url5xxCount UrlRequestCount vCPUAllocated "
                "vCPUAvailable"
            ),
        ),
        (
            Behaviour("Milliseconds", COUNT),
            (
                "AsyncEventAge DurableExecutionDuration IteratorAge PostRuntimeExtensionsDuration "
                "UrlRequestLatency"
            ),
        ),
        (Behaviour("Milliseconds", Range(0, LONGEST_RUN_MILLISECONDS)), "Duration"),
        (Behaviour("Count", NOUGHT_OR_ONE), "ProvisionedConcurrencyUtilization"),
        (
            Behaviour("Percent", PERCENT),
            "ApproximateRunningDurableExecutionsUtilization CPUUtilization MemoryUtilization",
        ),
        (
            Behaviour("Bytes", COUNT),
            (
                "DiskReadBytes DiskWriteBytes DurableExecutionStorageWrittenBytes MemoryAllocated "
                "MemoryAvailable NetworkIn NetworkOut"
            ),
        ),
    ),
    "AWS/SNS": (
        (
            Behaviour("Count", COUNT),
            (
                "NumberOfMessagesPublished NumberOfNotificationsDelivered "
                "NumberOfNotificationsFilteredOut NumberOfNotificationsFilteredOut-MessageAttributes "
                "NumberOfNotificationsFilteredOut-MessageBody PhoneNumberDirect SMSMonthToDateSpentUSD"
            ),
        ),
        (
            Behaviour("Count", COUNT, sparse=True),
            (
                "NumberOfNotificationsFailed NumberOfNotificationsFailedToRedriveToDlq "
                "NumberOfNotificationsFilteredOut-InvalidAttributes "
                "NumberOfNotificationsFilteredOut-InvalidMessageBody "
                "NumberOfNotificationsFilteredOut-NoMessageAttributes NumberOfNotificationsRedrivenToDlq"
            ),
        ),
        (Behaviour("Bytes", COUNT), "PublishSize"),
        (Behaviour("Count", NOUGHT_OR_ONE), "SMSSuccessRate"),
    ),
    "AWS/SQS": (
        (Behaviour("Seconds", Range(0, LONGEST_RETENTION_SECONDS)), "ApproximateAgeOfOldestMessage"),
        (
            Behaviour("Count", COUNT),
            (
                "ApproximateNumberOfGroupsWithInflightMessages ApproximateNumberOfMessagesDelayed "
                "ApproximateNumberOfMessagesNotVisible ApproximateNumberOfMessagesVisible "
                "ApproximateNumberOfNoisyGroups NumberOfDeduplicatedSentMessages NumberOfEmptyReceives "
                "NumberOfMessagesDeleted NumberOfMessagesReceived NumberOfMessagesSent"
            ),
        ),
        (Behaviour("Bytes", COUNT, statistics=STATISTICS), "SentMessageSize"),
    ),
}
"""By namespace, what behaves alike; DynamoDB sends what counts refusals only while there are some."""

AWS_PREFIX: Final = "AWS/"
"""What AWS keeps for itself: nobody else can publish into such a namespace.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

LONG: Final = 6
"""Letters from which on a name that is one letter away from a known one is a slip of it: `RDS` and `DRS` are
two services, `Lamda` is none."""


@functools.cache
def known_metrics(namespace: str) -> Mapping[str, Metric] | None:
    """Return the metrics of a namespace by name; None where not all of them are known."""
    entries = table("metrics")
    if namespace not in entries["complete"]:
        return None
    behaviours = {
        name: behaviour for behaviour, names in BEHAVIOURS.get(namespace, ()) for name in names.split()
    }
    return {
        name: Metric(sets(*dimensions.split(" | ")), behaviours.get(name, Behaviour()))
        for dimensions, names in entries[namespace].items()
        for name in names.split()
    }


def lookup(namespace: str, name: str) -> Metric | None:
    """Return a metric, or None when the pack does not know it."""
    metrics = known_metrics(namespace)
    return metrics.get(name) if metrics is not None else None


def suits(metric: Metric, statistic: str) -> bool:
    """Tell whether a statistic says something about what a metric counts."""
    return statistic not in STATISTICS or statistic in metric.behaviour.statistics


def legal_statistic(statistic: str) -> bool:
    """Tell whether CloudWatch knows a statistic, plain or extended."""
    return statistic in STATISTICS or EXTENDED_STATISTIC.fullmatch(statistic) is not None


def sets(*names: str) -> tuple[frozenset[str], ...]:
    """Return sets of dimensions, each written with commas; an empty one is no dimension."""
    return tuple(frozenset(filter(None, name.split(","))) for name in names)


@functools.cache
def published() -> frozenset[str]:
    """Return the namespaces that AWS is known to publish metrics in."""
    return frozenset(name for name in table("metrics") if name.startswith(AWS_PREFIX))


def is_aws(namespace: str) -> bool:
    """Tell whether a namespace is of those that only AWS publishes in, however its prefix is written."""
    return namespace.lower().startswith(AWS_PREFIX.lower())


@functools.cache
def slip_of(namespace: str) -> str | None:
    """Return the namespace that a name certainly is a slip of: `AWS/Lambda` for `AWS/lambda`, `AWS/Lamda`."""
    if namespace in published() or not is_aws(namespace):
        return None
    meant = certain_slip(namespace[len(AWS_PREFIX) :], (name[len(AWS_PREFIX) :] for name in published()))
    return AWS_PREFIX + meant if meant is not None else None


def certain_slip(written: str, known: Iterable[str]) -> str | None:
    """Return the known name that another one certainly is a slip of.

    It is one when only the capitals differ, or one letter in a long name, and no other known name is as near.
    What differs in a digit is another generation of the same thing.
    """
    lower = written.lower()
    names = list(known)
    capitals = [name for name in names if name.lower() == lower]
    near = capitals or [name for name in names if one_letter_apart(lower, name.lower())]
    return near[0] if len(near) == 1 else None


def one_letter_apart(one: str, other: str) -> bool:
    """Tell whether a long name becomes another by adding, leaving out, changing or swapping one letter."""
    short, long = sorted((len(one), len(other)))
    if long < LONG or long - short > 1:
        return False
    pairs = enumerate(zip(one, other, strict=False))
    start = next((at for at, (ours, theirs) in pairs if ours != theirs), short)
    ours, theirs = one[start:], other[start:]
    swapped = len(ours) == len(theirs) and ours[1::-1] == theirs[:2] and ours[2:] == theirs[2:]
    edits = ((ours[1:], theirs), (ours, theirs[1:]), (ours[1:], theirs[1:]))
    digits = any(character.isdigit() for character in ours[:1] + theirs[:1])
    return not digits and (swapped or any(rest == wanted for rest, wanted in edits))
