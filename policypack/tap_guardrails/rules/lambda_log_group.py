"""Each Lambda function writes to a log group that the stack declares, with a retention.

A log group that no one declared is made by Lambda at the first invocation, and keeps everything for ever.
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws import DELIVERY_CLASS, FUNCTION, LOG_GROUP
from tap_guardrails.aws.functions import LOG_PREFIX, FunctionLogs, function_logs
from tap_guardrails.model import (
    Finding,
    Invalid,
    Outcomes,
    Resource,
    Settings,
    Stack,
    StackRule,
    Verdict,
    listed,
)

REQUIRED: Final = (
    "a log group in this stack, with `retentionInDays`, named as in `loggingConfig.logGroup`, "
    "or else /aws/lambda/ and the function's name"
)
AT_EDGE: Final = (
    f"log groups with `retentionInDays` in the regions of the viewers, named {LOG_PREFIX} and the function's "
    "name, since CloudFront runs it"
)
DECIDABLE: Final = (
    "Set `loggingConfig.logGroup` from the log group's own name output, or the log group's name from the "
    "function's name output, and from nothing else."
)


def check(function: Resource, stack: Stack, _settings: Settings) -> Outcomes:
    """Check a function."""
    logs = function_logs(function, stack)
    prop = logs.ref.text()
    if isinstance(prop, Invalid):
        yield prop.invalid(REQUIRED)
        return
    kept = [retained(group) for group in logs.groups.certain]
    if True in kept:
        return
    path = FUNCTION.at(function, "name").path if prop.absent else logs.ref.path
    if None in kept or logs.groups.possible or logs.groups.anything:
        problem = "Undecided before deployment: the function's log group, or its retention, is unknown."
        yield Finding(Verdict.UNDECIDED, problem, path, shown(logs), REQUIRED, DECIDABLE)
    elif logs.groups.certain:
        problem = f"The function's log group {listed(logs.groups.certain)} keeps its events for ever."
        fix = "Set `retentionInDays` on the log group."
        yield Finding(Verdict.VIOLATION, problem, path, listed(logs.groups.certain), REQUIRED, fix)
    else:
        problem = "The function's log group is not declared."
        yield Finding(Verdict.VIOLATION, problem, path, shown(logs), AT_EDGE if logs.edge else REQUIRED)


def retained(group: Resource) -> bool | None:
    """Tell whether a log group has a retention; None while that is unknown."""
    if LOG_GROUP.at(group, "logGroupClass").value == DELIVERY_CLASS:
        return True
    retention = LOG_GROUP.at(group, "retentionInDays").integer()
    if retention.unknown:
        return None
    return (retention.value or 0) > 0


def shown(logs: FunctionLogs) -> str:
    """Say which log group there is, or may be."""
    return listed(logs.groups.possible) if logs.groups.possible else logs.ref.found()


RULE = StackRule(
    name="lambda-log-group",
    title="Lambda functions have a declared log group",
    description="Each Lambda function writes to a log group that the stack declares, with a retention.",
    why="A log group that Lambda makes by itself keeps everything for ever, and has no key and no tags.",
    fix="Declare a log group named /aws/lambda/ and the function's name, or name one in "
    "`loggingConfig.logGroup`, and set its `retentionInDays`.",
    severity="medium",
    url="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html",
    controls=("cloudwatch-16: FSBP CloudWatch.16, NIST AU-11 SI-12",),
    types=FUNCTION.types,
    check=check,
)
