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
}
