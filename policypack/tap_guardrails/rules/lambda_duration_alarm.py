"""Lambda functions have an effective alarm on their duration, one that goes off before their timeout does.

What runs into its timeout is cut off, so its duration is never more than that, and an alarm above it never
fires.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws import FUNCTION
from tap_guardrails.aws.alarms import ALARM_SETTINGS, RequiredMetric
from tap_guardrails.aws.functions import PERMISSIONS_OF, SOURCES_OF, URLS_OF
from tap_guardrails.aws.sub_resources import sub_resources
from tap_guardrails.model import Enum, NotApplicable, Outcomes, Resource, Settings, Stack, StackRule

DURATION: Final = RequiredMetric(
    "AWS/Lambda",
    "Duration",
    "FunctionName",
    FUNCTION,
    by_value=True,
    problem="No effective alarm warns before the function runs into its timeout.",
    required="an alarm on AWS/Lambda Duration with the one dimension FunctionName, for this function and "
    "below its timeout",
)
EXEMPT, REQUIRE = "exempt", "require"


def check(function: Resource, stack: Stack, settings: Settings) -> Outcomes:
    """Check a function."""
    if settings.enum("eventSources") == EXEMPT and only_polled(function, stack):
        yield NotApplicable("Only event sources call the function, and no one waits for its answer.")
    else:
        yield from DURATION.missing(function, stack, settings)


def only_polled(function: Resource, stack: Stack) -> bool:
    """Tell whether the stack certainly calls a function from event sources, and from nowhere else."""
    others = [sub_resources(stack, function, sub_resource) for sub_resource in (PERMISSIONS_OF, URLS_OF)]
    called = any(other.certain or other.possible for other in others)
    return not called and bool(sub_resources(stack, function, SOURCES_OF).certain)


RULE = StackRule(
    name="lambda-duration-alarm",
    title="Lambda functions have an alarm on duration",
    description="Each Lambda function that someone waits for is watched by an effective alarm on AWS/Lambda "
    "Duration, below its timeout.",
    why="A function that grows slower fails for everybody at once on the day that it reaches its timeout.",
    fix="Add a metric alarm on AWS/Lambda Duration with the dimension FunctionName set to the function's "
    "name, a threshold below its timeout in milliseconds, and an SNS topic in `alarmActions`.",
    severity="low",
    level="advisory",
    url="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html",
    types=FUNCTION.types,
    settings=(
        *ALARM_SETTINGS,
        Enum(
            "eventSources",
            EXEMPT,
            "Functions that only event source mappings of the stack call: `exempt` them, since no one waits "
            "for their answer, or `require` an alarm of them too.",
            (REQUIRE, EXEMPT),
        ),
    ),
    check=check,
)
