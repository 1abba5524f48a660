"""`AWS/Lambda`: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html.

Dimensions: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html.
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws.metrics.metric import (
    COUNT,
    NOUGHT_OR_ONE,
    OF_EVENTS,
    ONE,
    PERCENT,
    STATISTICS,
    Metric,
    Range,
    sets,
)

FUNCTION_SETS: Final = sets(
    "", "FunctionName", "FunctionName,Resource", "FunctionName,ExecutedVersion,Resource", "Resource"
)
ACCOUNT_SET: Final = sets("")
MAPPING_SETS: Final = sets("EventSourceMappingUUID", "EventSourceMappingUUID,FunctionName", "FunctionName")

LONGEST_RUN_MILLISECONDS: Final = 900_000
"""A function's longest timeout, 15 minutes; what exceeds a function's timeout is ended there."""

SHORTEST_RUN_MILLISECONDS: Final = 1_000
"""A function's shortest timeout."""

EVENT: Final = Metric(FUNCTION_SETS, "Count", NOUGHT_OR_ONE, statistics=OF_EVENTS)
TALLY: Final = Metric(FUNCTION_SETS, "Count", COUNT)
MILLISECONDS: Final = Metric(FUNCTION_SETS, "Milliseconds", COUNT)
MAPPING_TALLY: Final = Metric(MAPPING_SETS, "Count", COUNT)

DURABLE_TALLY: Final = Metric(FUNCTION_SETS, "Count", COUNT)
"""Of durable executions: https://docs.aws.amazon.com/lambda/latest/dg/durable-monitoring.html."""

INSTANCES: Final = sets("CapacityProviderName", "CapacityProviderName,InstanceType")
"""Of managed instances: https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-monitoring.html."""

INSTANCE_PERCENT: Final = Metric(INSTANCES, "Percent", PERCENT)
INSTANCE_BYTES: Final = Metric(INSTANCES, "Bytes", COUNT)
INSTANCE_TALLY: Final = Metric(INSTANCES, "Count", COUNT)

URL_SETS: Final = sets("FunctionName", "FunctionName,Resource")
"""Of function URLs: https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html."""

URL_TALLY: Final = Metric(URL_SETS, "Count", COUNT)

METRICS: Final = {
    "Invocations": Metric(FUNCTION_SETS, "Count", ONE, statistics=STATISTICS),
    "Errors": EVENT,
    "Throttles": EVENT,
    "DeadLetterErrors": Metric(FUNCTION_SETS, "Count", COUNT, sparse=True),
    "DestinationDeliveryFailures": Metric(FUNCTION_SETS, "Count", COUNT, sparse=True),
    "RecursiveInvocationsDropped": Metric(FUNCTION_SETS, "Count", COUNT, sparse=True),
    "AsyncEventsReceived": TALLY,
    "AsyncEventsDropped": Metric(FUNCTION_SETS, "Count", COUNT, sparse=True),
    "AsyncEventAge": MILLISECONDS,
    "ProvisionedConcurrencyInvocations": TALLY,
    "ProvisionedConcurrencySpilloverInvocations": TALLY,
    "SignatureValidationErrors": TALLY,
    "Duration": Metric(FUNCTION_SETS, "Milliseconds", Range(0, LONGEST_RUN_MILLISECONDS)),
    "PostRuntimeExtensionsDuration": MILLISECONDS,
    "IteratorAge": MILLISECONDS,
    "OffsetLag": TALLY,
    "ConcurrentExecutions": TALLY,
    "ProvisionedConcurrentExecutions": TALLY,
    "ProvisionedConcurrencyUtilization": Metric(FUNCTION_SETS, "Count", NOUGHT_OR_ONE),
    "UnreservedConcurrentExecutions": Metric(ACCOUNT_SET, "Count", COUNT),
    "ClaimedAccountConcurrency": Metric(ACCOUNT_SET, "Count", COUNT),
    "PolledEventCount": MAPPING_TALLY,
    "FilteredOutEventCount": MAPPING_TALLY,
    "InvokedEventCount": MAPPING_TALLY,
    "FailedInvokeEventCount": MAPPING_TALLY,
    "DroppedEventCount": MAPPING_TALLY,
    "OnFailureDestinationDeliveredEventCount": MAPPING_TALLY,
    "DeletedEventCount": MAPPING_TALLY,
    "ProvisionedPollers": MAPPING_TALLY,
    "ApproximateRunningDurableExecutions": DURABLE_TALLY,
    "ApproximateRunningDurableExecutionsUtilization": Metric(sets("", "FunctionName"), "Percent", PERCENT),
    "DurableExecutionDuration": MILLISECONDS,
    "DurableExecutionFailed": DURABLE_TALLY,
    "DurableExecutionOperations": DURABLE_TALLY,
    "DurableExecutionStarted": DURABLE_TALLY,
    "DurableExecutionStopped": DURABLE_TALLY,
    "DurableExecutionStorageWrittenBytes": Metric(FUNCTION_SETS, "Bytes", COUNT),
    "DurableExecutionSucceeded": DURABLE_TALLY,
    "DurableExecutionTimedOut": DURABLE_TALLY,
    "CPUUtilization": INSTANCE_PERCENT,
    "MemoryUtilization": INSTANCE_PERCENT,
    "NetworkIn": INSTANCE_BYTES,
    "NetworkOut": INSTANCE_BYTES,
    "DiskReadBytes": INSTANCE_BYTES,
    "DiskWriteBytes": INSTANCE_BYTES,
    "MemoryAllocated": INSTANCE_BYTES,
    "MemoryAvailable": INSTANCE_BYTES,
    "vCPUAllocated": INSTANCE_TALLY,
    "vCPUAvailable": INSTANCE_TALLY,
    "UrlRequestCount": URL_TALLY,
    "UrlRequestLatency": Metric(URL_SETS, "Milliseconds", COUNT),
    "Url4xxCount": URL_TALLY,
    "Url5xxCount": URL_TALLY,
}
