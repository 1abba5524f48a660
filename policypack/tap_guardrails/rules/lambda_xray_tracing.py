"""Lambda functions trace their invocations with X-Ray.

`PassThrough` only follows a decision that some caller made; a function that nobody traces stays dark.
https://docs.aws.amazon.com/lambda/latest/api/API_TracingConfig.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.resource_types import FUNCTION
from tap_guardrails.model import (
    Absent,
    Known,
    Outcomes,
    PropertyPatch,
    Remediation,
    Resource,
    ResourceRule,
    Settings,
    must,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ACTIVE: Final = "Active"


def check(function: Resource, _settings: Settings) -> Outcomes:
    """Judge a function."""
    yield from must(
        FUNCTION.at(function, "tracingConfig", "mode").text(),
        lambda mode: mode == ACTIVE,
        problem="The function's invocations are not traced.",
        required=f'"{ACTIVE}"',
    )


def remediate(function: Resource, _settings: Settings) -> Iterator[PropertyPatch]:
    """Trace actively what is not traced, or only when some caller is."""
    match FUNCTION.at(function, "tracingConfig", "mode").text():
        case Absent() | Known():
            yield PropertyPatch(("tracingConfig", "mode"), ACTIVE)
        case _:
            pass


FSBP: Final = "https://docs.aws.amazon.com/securityhub/latest/userguide/lambda-controls.html#lambda-7"

RULE = ResourceRule(
    name="lambda-xray-tracing",
    title="Lambda functions are traced",
    description="Lambda functions have active X-Ray tracing.",
    why="Without traces it stays unknown where a slow or failing request spent its time.",
    fix="Set `tracingConfig: {mode: Active}` on the function, and let its role write to X-Ray.",
    severity="medium",
    url="https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html",
    controls=(("FSBP", "Lambda.7", FSBP), ("NIST", "CA-7", FSBP)),
    types=FUNCTION.types,
    check=check,
    remediation=Remediation(
        f"Sets `tracingConfig.mode` to `{ACTIVE}`. AWS refuses that for a role that may not write to X-Ray.",
        remediate,
    ),
)
