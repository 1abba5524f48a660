"""Each Lambda function has an effective alarm on its errors.

The alarm has the one dimension FunctionName. One on a single alias, or on all functions of the account
together, does not count: it misses what the others do, or drowns it.
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws import FUNCTION
from tap_guardrails.aws.alarms import ALARM_SETTINGS, RequiredMetric
from tap_guardrails.model import StackRule

ERRORS: Final = RequiredMetric(
    "AWS/Lambda",
    "Errors",
    "FunctionName",
    FUNCTION,
    problem="No effective alarm watches the function's errors.",
    required="an alarm on AWS/Lambda Errors with the one dimension FunctionName, for this function",
)


RULE = StackRule(
    name="lambda-error-alarm",
    title="Lambda functions have an alarm on errors",
    description="Each Lambda function is watched by an effective alarm on AWS/Lambda Errors.",
    why="A function that fails for everybody looks like one that no one calls, until a customer complains.",
    fix="Add a metric alarm on AWS/Lambda Errors, statistic Sum, with the dimension FunctionName set to the "
    "function's name, and an SNS topic in `alarmActions`.",
    severity="high",
    url="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html",
    controls=("cloudwatch-15: NIST CA-7 SI-4(5)",),
    types=FUNCTION.types,
    settings=ALARM_SETTINGS,
    check=ERRORS.missing,
)
