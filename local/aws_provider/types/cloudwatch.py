"""CloudWatch alarms and CloudWatch Logs."""

from __future__ import annotations

from typing import Final

from local.aws_provider.types.description import Description, Limit

_RETENTION = (
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
    1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": Description(
        replaces=frozenset({"name"}),
        defaults={"actionsEnabled": True, "treatMissingData": "missing"},
        sets=frozenset({"alarmActions", "insufficientDataActions", "metricQueries", "okActions"}),
        limits={
            "datapointsToAlarm": Limit(minimum=1),
            "evaluationPeriods": Limit(minimum=1),
            "treatMissingData": Limit(choices=("missing", "ignore", "breaching", "notBreaching")),
            "comparisonOperator": Limit(
                choices=(
                    "GreaterThanOrEqualToThreshold",
                    "GreaterThanThreshold",
                    "GreaterThanUpperThreshold",
                    "LessThanLowerOrGreaterThanUpperThreshold",
                    "LessThanLowerThreshold",
                    "LessThanOrEqualToThreshold",
                    "LessThanThreshold",
                )
            ),
            "statistic": Limit(choices=("SampleCount", "Average", "Sum", "Minimum", "Maximum")),
        },
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Description(
        replaces=frozenset({"actionsEnabled", "alarmName"}),
        defaults={"actionsEnabled": True},
        sets=frozenset({"alarmActions", "insufficientDataActions", "okActions"}),
    ),
    "aws:cloudwatch/logGroup:LogGroup": Description(
        replaces=frozenset({"logGroupClass", "name", "namePrefix"}),
        limits={
            "retentionInDays": Limit(choices=_RETENTION),
            "logGroupClass": Limit(choices=("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")),
        },
    ),
}
