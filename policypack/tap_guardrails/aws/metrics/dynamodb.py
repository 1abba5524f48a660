"""`AWS/DynamoDB`: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html.

DynamoDB sends a metric only while it is not zero: silence is the good news for everything that counts
refusals and failures.
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws.metrics.metric import COUNT, PERCENT, POSITIVE, STATISTICS, Metric, sets

ACCOUNT: Final = sets("")
TABLE: Final = sets("TableName")
TABLE_OR_INDEX: Final = sets("TableName", "TableName,GlobalSecondaryIndexName")
OPERATION: Final = sets("TableName,Operation", "TableName,GlobalSecondaryIndexName,Operation")
OPERATION_OR_STREAM: Final = sets(
    "TableName,Operation", "Operation,StreamLabel,TableName", "StreamLabel,TableName"
)
RECEIVING_REGION: Final = sets("TableName,ReceivingRegion")
DELEGATED: Final = sets("TableName,DelegatedOperation")

REFUSALS: Final = Metric(TABLE_OR_INDEX, "Count", POSITIVE, sparse=True, statistics=STATISTICS)
CAPACITY: Final = Metric(TABLE_OR_INDEX, "Count", COUNT)
ACCOUNT_LIMIT: Final = Metric(ACCOUNT, "Count", COUNT)
ACCOUNT_PERCENT: Final = Metric(ACCOUNT, "Percent", PERCENT)
DELEGATED_TALLY: Final = Metric(DELEGATED, "Count", COUNT)
ANY_STATISTIC_OF_OPERATION: Final = Metric(OPERATION, "Count", POSITIVE, sparse=True, statistics=STATISTICS)

METRICS: Final = {
    "ReadThrottleEvents": REFUSALS,
    "WriteThrottleEvents": REFUSALS,
    "OnlineIndexThrottleEvents": REFUSALS,
    "ReadAccountLimitThrottleEvents": REFUSALS,
    "ReadKeyRangeThroughputThrottleEvents": REFUSALS,
    "ReadMaxOnDemandThroughputThrottleEvents": REFUSALS,
    "ReadProvisionedThroughputThrottleEvents": REFUSALS,
    "WriteAccountLimitThrottleEvents": REFUSALS,
    "WriteKeyRangeThroughputThrottleEvents": REFUSALS,
    "WriteMaxOnDemandThroughputThrottleEvents": REFUSALS,
    "WriteProvisionedThroughputThrottleEvents": REFUSALS,
    "ThrottledRequests": ANY_STATISTIC_OF_OPERATION,
    "SystemErrors": ANY_STATISTIC_OF_OPERATION,
    "FaultInjectionServiceInducedErrors": ANY_STATISTIC_OF_OPERATION,
    "UserErrors": Metric(ACCOUNT, "Count", POSITIVE, sparse=True, statistics=STATISTICS),
    "ConditionalCheckFailedRequests": Metric(TABLE, "Count", POSITIVE, sparse=True, statistics=STATISTICS),
    "TransactionConflict": Metric(TABLE, "Count", POSITIVE, sparse=True, statistics=STATISTICS),
    "ConsumedReadCapacityUnits": CAPACITY,
    "ConsumedWriteCapacityUnits": CAPACITY,
    "ProvisionedReadCapacityUnits": CAPACITY,
    "ProvisionedWriteCapacityUnits": CAPACITY,
    "OnDemandMaxReadRequestUnits": CAPACITY,
    "OnDemandMaxWriteRequestUnits": CAPACITY,
    "OnlineIndexConsumedWriteCapacity": CAPACITY,
    "OnlineIndexPercentageProgress": Metric(TABLE_OR_INDEX, "Count", PERCENT),
    "SuccessfulRequestLatency": Metric(OPERATION_OR_STREAM, "Milliseconds", COUNT, statistics=STATISTICS),
    "ReturnedItemCount": Metric(OPERATION, "Count", COUNT, statistics=STATISTICS),
    "ReturnedBytes": Metric(OPERATION_OR_STREAM, "Bytes", COUNT, statistics=STATISTICS),
    "ReturnedRecordsCount": Metric(OPERATION_OR_STREAM, "Count", COUNT, statistics=STATISTICS),
    "TimeToLiveDeletedItemCount": Metric(TABLE, "Count", COUNT),
    "PendingReplicationCount": Metric(RECEIVING_REGION, "Count", COUNT, statistics=STATISTICS),
    "ReplicationLatency": Metric(RECEIVING_REGION, "Milliseconds", COUNT),
    "AgeOfOldestUnreplicatedRecord": Metric(DELEGATED, "Milliseconds", COUNT),
    "ConsumedChangeDataCaptureUnits": DELEGATED_TALLY,
    "FailedToReplicateRecordCount": DELEGATED_TALLY,
    "ThrottledPutRecordCount": DELEGATED_TALLY,
    "AccountMaxReads": ACCOUNT_LIMIT,
    "AccountMaxWrites": ACCOUNT_LIMIT,
    "AccountMaxTableLevelReads": ACCOUNT_LIMIT,
    "AccountMaxTableLevelWrites": ACCOUNT_LIMIT,
    "AccountProvisionedReadCapacityUtilization": ACCOUNT_PERCENT,
    "AccountProvisionedWriteCapacityUtilization": ACCOUNT_PERCENT,
    "MaxProvisionedTableReadCapacityUtilization": ACCOUNT_PERCENT,
    "MaxProvisionedTableWriteCapacityUtilization": ACCOUNT_PERCENT,
}

READ_OPERATIONS: Final = frozenset({"GetItem", "BatchGetItem", "Query", "Scan"})
WRITE_OPERATIONS: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"})
"""The operations that `ThrottledRequests` tells apart."""
