"""`AWS/SNS`: https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html."""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws.metrics.metric import COUNT, NOUGHT_OR_ONE, Metric, sets

TOPIC: Final = sets(
    "TopicName", "", "PhoneNumber", "Application", "Application,Platform", "Platform", "Country", "SMSType",
    "Country,SMSType",
)  # fmt: skip

TALLY: Final = Metric(TOPIC, "Count", COUNT)
FAILURES: Final = Metric(TOPIC, "Count", COUNT, sparse=True)

METRICS: Final = {
    "NumberOfMessagesPublished": TALLY,
    "NumberOfNotificationsDelivered": TALLY,
    "NumberOfNotificationsFailed": FAILURES,
    "NumberOfNotificationsFilteredOut": TALLY,
    "NumberOfNotificationsFilteredOut-InvalidAttributes": FAILURES,
    "NumberOfNotificationsFilteredOut-InvalidMessageBody": FAILURES,
    "NumberOfNotificationsFilteredOut-MessageAttributes": TALLY,
    "NumberOfNotificationsFilteredOut-MessageBody": TALLY,
    "NumberOfNotificationsFilteredOut-NoMessageAttributes": FAILURES,
    "NumberOfNotificationsRedrivenToDlq": FAILURES,
    "NumberOfNotificationsFailedToRedriveToDlq": FAILURES,
    "PhoneNumberDirect": Metric(sets("PhoneNumber"), "Count", COUNT),
    "PublishSize": Metric(TOPIC, "Bytes", COUNT),
    "SMSMonthToDateSpentUSD": Metric(TOPIC, "Count", COUNT),
    "SMSSuccessRate": Metric(TOPIC, "Count", NOUGHT_OR_ONE),
}
