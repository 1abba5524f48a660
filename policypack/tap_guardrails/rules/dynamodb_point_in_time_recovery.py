"""DynamoDB tables, and every replica of them, can be restored to any second of the last days.

Recovery is set for each region by itself: a table with it can have a replica without it.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tap_guardrails.aws import TABLE_REPLICA
from tap_guardrails.model import (
    Integer,
    Outcomes,
    PropertyPatch,
    Resource,
    ResourceRule,
    Settings,
)

if TYPE_CHECKING:
    from tap_guardrails.model.rule import PathStep

AWS_TABLE: Final = "aws:dynamodb/table:Table"
NATIVE_TABLE: Final = "aws-native:dynamodb:Table"
NATIVE_GLOBAL_TABLE: Final = "aws-native:dynamodb:GlobalTable"

SPECIFICATION: Final = "pointInTimeRecoverySpecification"
SWITCH: Final = "pointInTimeRecoveryEnabled"
RECOVERY: Final = "pointInTimeRecovery"
PERIOD: Final = "recoveryPeriodInDays"

LONGEST_PERIOD_DAYS: Final = 35
"""Also what AWS takes when the period is not set."""

OFF: Final = "Point-in-time recovery is off."
REPLICA_OFF: Final = "Point-in-time recovery is off on a replica."


def check(table: Resource, settings: Settings) -> Outcomes:
    """Check a table, or a replica declared by itself: recovery is on, and goes back far enough."""
    days = settings.integer("minimumRecoveryDays")
    for path, switch, problem in recoveries(table):
        recovery = table.at(*path)
        on = recovery.at(switch) if switch else recovery
        yield from on.boolean().must(bool, problem=problem, required="true")
        period = recovery.at(PERIOD).integer()
        if switch and recovery.entries().value is not None and not period.absent:
            yield from period.must(
                lambda value: days <= value <= LONGEST_PERIOD_DAYS,
                problem="The table cannot be restored from long enough ago.",
                required=f"{days} to {LONGEST_PERIOD_DAYS} days",
            )
    if table.type in (AWS_TABLE, NATIVE_GLOBAL_TABLE):
        yield from unreadable_replicas(table)


def recoveries(table: Resource) -> Iterator[tuple[tuple[PathStep, ...], str, str]]:
    """Go through a table's regions: the path to the recovery of each, its switch, and what is wrong if off.

    The switch is empty where the path leads to it, and there is nothing else to set.
    """
    replicas = range(len(table.at("replicas").items().value or ()))
    if table.type in TABLE_REPLICA.types:
        yield (RECOVERY,), "", REPLICA_OFF
    elif table.type == AWS_TABLE:
        yield (RECOVERY,), "enabled", OFF
        yield from ((("replicas", position, RECOVERY), "", REPLICA_OFF) for position in replicas)
    elif table.type == NATIVE_TABLE:
        yield (SPECIFICATION,), SWITCH, OFF
    else:
        yield from ((("replicas", position, SPECIFICATION), SWITCH, REPLICA_OFF) for position in replicas)


def unreadable_replicas(table: Resource) -> Outcomes:
    """Say that the table's replicas are unknown or unreadable."""
    listed = table.at("replicas").items()
    yield from listed.unsettled("a list of replicas that is known, each with point-in-time recovery")
    if table.type == NATIVE_GLOBAL_TABLE and listed.settled and not listed.value:
        yield listed.violation("The global table is in no region.", "at least one region")


def remediate(table: Resource, settings: Settings) -> Iterator[PropertyPatch]:
    """Turn recovery on in every region, and bring its days within the bounds where they are set."""
    days = settings.integer("minimumRecoveryDays")
    for path, switch, _ in recoveries(table):
        steps = (*path, switch) if switch else path
        on, period = table.at(*steps).boolean(), table.at(*path, PERIOD).integer().value
        if on.settled and not on.value:
            yield PropertyPatch(steps, value=True)
        if switch and period is not None and not days <= period <= LONGEST_PERIOD_DAYS:
            yield PropertyPatch((*path, PERIOD), min(max(period, days), LONGEST_PERIOD_DAYS))


RULE = ResourceRule(
    name="dynamodb-point-in-time-recovery",
    title="DynamoDB tables can be restored",
    description="DynamoDB tables have point-in-time recovery on, in every region that they are in.",
    why="Without it a bad write or a deletion costs everything since the last backup, if there is one.",
    fix="Set `pointInTimeRecovery: {enabled: true}`, and `pointInTimeRecovery: true` on every replica.",
    severity="high",
    url="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html",
    controls=("dynamodb-2: FSBP DynamoDB.2, NIST CP-10 CP-6(2) CP-9 SC-5(2) SI-12 SI-13(5)",),
    types=(AWS_TABLE, NATIVE_TABLE, NATIVE_GLOBAL_TABLE, *TABLE_REPLICA.types),
    settings=(
        Integer(
            "minimumRecoveryDays",
            7,
            "How many days one must be able to go back; AWS keeps 35 unless told otherwise.",
            minimum=1,
            maximum=LONGEST_PERIOD_DAYS,
            stricter="higher",
        ),
    ),
    check=check,
    remediation=(
        "Turns point-in-time recovery on, on the table and on each replica it declares, and moves a "
        "`recoveryPeriodInDays` outside the bounds to the nearest bound."
    ),
    patches=remediate,
)
