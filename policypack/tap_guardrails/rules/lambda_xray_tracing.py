"""Lambda functions trace their invocations with X-Ray.

`PassThrough` only follows a decision that some caller made; a function that no one traces stays dark.
https://docs.aws.amazon.com/lambda/latest/api/API_TracingConfig.html

Lambda@Edge cannot be traced:
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-at-edge-function-restrictions.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tap_guardrails.aws import FUNCTION
from tap_guardrails.aws.functions import is_edge, may_be_edge
from tap_guardrails.model import (
    Finding,
    NotApplicable,
    Outcomes,
    PropertyPatch,
    Resource,
    ResourceRule,
    Settings,
    Stack,
    Verdict,
)

ACTIVE: Final = "Active"
MODE: Final = ("tracingConfig", "mode")


def check(function: Resource, _settings: Settings) -> Outcomes:
    """Check a function; whether one that may be Lambda@Edge is, the whole stack tells."""
    findings = traced(function)
    if findings and may_be_edge(function):
        yield NotApplicable(
            "Whether CloudFront runs the function, which cannot be traced there, the stack tells."
        )
    else:
        yield from findings


def in_stack(function: Resource, stack: Stack, _settings: Settings) -> Outcomes:
    """Check a function that may be Lambda@Edge by the distributions that name it."""
    edge = is_edge(function, stack) if may_be_edge(function) else True
    for finding in () if edge else traced(function):
        yield finding if edge is False else replace(finding, verdict=Verdict.UNDECIDED)


def traced(function: Resource) -> list[Finding]:
    """Require active tracing."""
    mode, problem = FUNCTION.at(function, *MODE).text(), "The function's invocations are not traced."
    return list(mode.must(lambda value: value == ACTIVE, problem=problem, required=f'"{ACTIVE}"'))


def remediate(function: Resource, _settings: Settings) -> list[PropertyPatch]:
    """Trace actively what is not traced, or only when some caller is."""
    return [PropertyPatch(MODE, ACTIVE)] if FUNCTION.at(function, *MODE).text().settled else []


RULE = ResourceRule(
    name="lambda-xray-tracing",
    title="Lambda functions are traced",
    description="Lambda functions have active X-Ray tracing.",
    why="Without traces it stays unknown where a slow or failing request spent its time.",
    fix="Set `tracingConfig: {mode: Active}` on the function, and let its role write to X-Ray.",
    severity="medium",
    url="https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html",
    controls=("lambda-7: FSBP Lambda.7, NIST CA-7",),
    types=FUNCTION.types,
    check=check,
    check_in_stack=in_stack,
    remediation=f"Sets `tracingConfig.mode` to `{ACTIVE}`. AWS refuses that for a role that may not write to "
    "X-Ray.",
    patches=remediate,
)
