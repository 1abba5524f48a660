"""Every alarm can go off, at the right time, and notifies someone when it does.

An alarm on a metric that is never emitted, on a threshold that is never crossed, or without an action
looks like protection and is none.
"""

from __future__ import annotations

from tap_guardrails.aws.alarms import ALARM_SETTINGS, ALARM_TYPES, alarm_findings
from tap_guardrails.model import StackRule

RULE = StackRule(
    name="alarm-effective",
    title="Alarms can fire and notify someone",
    description="Alarms watch metrics that AWS emits, can become true, and have actions that are on.",
    why="An alarm that cannot fire, or notifies no one, is taken for protection until the day it is needed.",
    fix="Set the property named above as required; the page of the policy has an alarm that works.",
    severity="high",
    url="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
    controls=(
        "cloudwatch-15: FSBP CloudWatch.15, NIST AU-6(1) CA-7 IR-4(1) SI-4(5)",
        "cloudwatch-17: FSBP CloudWatch.17",
    ),
    types=ALARM_TYPES,
    settings=ALARM_SETTINGS,
    check=alarm_findings,
)
