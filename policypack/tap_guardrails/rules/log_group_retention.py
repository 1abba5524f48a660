"""Log groups keep their events for a set time, one that AWS accepts and the operator allows."""

from __future__ import annotations

from tap_guardrails.aws import DELIVERY_CLASS, LOG_GROUP, RETENTION_DAYS
from tap_guardrails.model import (
    Integer,
    NotApplicable,
    Outcomes,
    PropertyPatch,
    Resource,
    ResourceRule,
    Settings,
)


def check(group: Resource, settings: Settings) -> Outcomes:
    """Check a log group."""
    if LOG_GROUP.at(group, "logGroupClass").text().value == DELIVERY_CLASS:
        yield NotApplicable("AWS sets the retention of a log group of class DELIVERY itself.")
        return
    allowed = allowed_days(settings)
    least, most = settings.integer("minimumDays"), settings.integer("maximumDays")
    required = f"one of {', '.join(map(str, allowed))} days" if allowed else f"{least} to {most} days"
    retention = LOG_GROUP.at(group, "retentionInDays").integer()
    if retention.value == 0:
        yield retention.violation("The log group keeps its events for ever.", required)
        return
    yield from retention.must(
        lambda days: days in allowed,
        problem="The log group has no retention that is allowed.",
        required=required,
    )


def remediate(group: Resource, settings: Settings) -> list[PropertyPatch]:
    """Set the retention nearest to what was asked for that deletes nothing sooner than it has to be."""
    allowed, retention = allowed_days(settings), LOG_GROUP.at(group, "retentionInDays").integer()
    of_class = LOG_GROUP.at(group, "logGroupClass").text()
    if of_class.unknown or not allowed or not retention.settled or (retention.value or 0) < 0:
        return []
    asked = retention.value or allowed[-1]
    days = next((days for days in allowed if days >= asked), allowed[-1])
    return [PropertyPatch(("retentionInDays",), days)]


def allowed_days(settings: Settings) -> list[int]:
    """Return the values that AWS accepts and the operator allows, ascending."""
    least, most = settings.integer("minimumDays"), settings.integer("maximumDays")
    return [days for days in RETENTION_DAYS if least <= days <= most]


RULE = ResourceRule(
    name="log-group-retention",
    title="Log groups have a retention",
    description="CloudWatch log groups keep their events for a set number of days.",
    why="Logs kept for ever cost without end and hold data too long; kept too short, the evidence is gone.",
    fix="Set `retentionInDays` on the log group to one of the values that AWS accepts, within the bounds.",
    severity="medium",
    url="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
    controls=("cloudwatch-16: FSBP CloudWatch.16, NIST AU-10 AU-11 AU-6(3) CA-7 SI-12",),
    types=LOG_GROUP.types,
    settings=(
        Integer(
            "minimumDays",
            1,
            "The shortest retention allowed, in days.",
            minimum=1,
            maximum=RETENTION_DAYS[-1],
            stricter="higher",
        ),
        Integer(
            "maximumDays",
            RETENTION_DAYS[-1],
            "The longest retention allowed, in days.",
            minimum=1,
            maximum=RETENTION_DAYS[-1],
            stricter="lower",
        ),
    ),
    check=check,
    remediation=(
        "Sets `retentionInDays` to the next longer value that is allowed, or to the longest; what was kept "
        "for ever is then kept for the longest. AWS deletes what is older."
    ),
    patches=remediate,
)
