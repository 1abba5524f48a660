"""Lambda functions run on a runtime that still gets security updates.

Evaluated by the day of the preview, for it is with time that a runtime stops being supported. Whoever wants
the same answer every day sets `allowed`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from tap_guardrails.aws import FUNCTION, deprecation_dates, supported
from tap_guardrails.model import (
    Integer,
    NotApplicable,
    Outcomes,
    Resource,
    ResourceRule,
    Settings,
    StringList,
)

IMAGE: Final = "Image"


def check(function: Resource, settings: Settings) -> Outcomes:
    """Check a function."""
    package = FUNCTION.at(function, "packageType").text()
    if package.value == IMAGE:
        yield NotApplicable("A container image brings its own runtime.")
        return
    day = datetime.now(UTC).date() + timedelta(days=settings.integer("noticeDays"))
    listed, more = settings.strings("allowed"), settings.strings("moreRuntimes")
    allowed = listed or (*supported(day), *more)
    required = f"one of {', '.join(allowed)}"
    runtime = FUNCTION.at(function, "runtime").text()
    last = deprecation_dates().get(runtime.value or "")
    if not runtime.settled:
        yield from runtime.unsettled(required)
    elif runtime.absent and package.unknown:
        yield package.undecided(f'"{IMAGE}", or a runtime')
    elif runtime.absent:
        yield runtime.violation("The function names no runtime.", required)
    elif runtime.value in allowed:
        return
    elif listed:
        yield runtime.violation("The runtime is none of those allowed.", required)
    elif last is None:
        yield runtime.ref.not_known("runtime", required, "moreRuntimes")
    else:
        problem = f"AWS gives the runtime no security updates from {last.isoformat()} on."
        yield runtime.violation(problem, required)


RULE = ResourceRule(
    name="lambda-supported-runtime",
    title="Lambda runtimes are supported",
    description="Lambda functions use a runtime that AWS supports.",
    why="A runtime without updates keeps its holes, and some day the function cannot be changed any more.",
    fix="Set `runtime` to a supported one, and test the function on it.",
    severity="medium",
    url="https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
    controls=("lambda-2: FSBP Lambda.2, NIST CA-9(1) CM-2 SI-2 SI-2(2) SI-2(4) SI-2(5)",),
    types=FUNCTION.types,
    settings=(
        StringList(
            "allowed",
            (),
            "The only runtimes allowed; empty for those that AWS supports on the day of the preview.",
            empty_is_open=True,
        ),
        StringList(
            "moreRuntimes",
            (),
            "Runtimes that AWS supports and this version of the pack does not know yet: `python3.16`.",
        ),
        Integer(
            "noticeDays",
            0,
            "Refuse a runtime so many days before AWS stops supporting it.",
            minimum=0,
            maximum=1095,
            stricter="higher",
        ),
    ),
    check=check,
)
