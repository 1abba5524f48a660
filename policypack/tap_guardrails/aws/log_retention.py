"""How long CloudWatch Logs can keep events."""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws.tables import table

RETENTION_DAYS: Final[tuple[int, ...]] = tuple(table("cloudwatch")["retentionDays"])
"""The only values that AWS takes, in days."""

DELIVERY_CLASS: Final = "DELIVERY"
"""The log group class whose retention AWS fixes itself; the setting is not taken.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
"""
