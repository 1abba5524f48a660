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
    PropertyRef,
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

LONGEST_PERIOD_DAYS: Final = 35
"""Also what AWS takes when the period is not set."""

OFF: Final = "Point-in-time recovery is off."
REPLICA_OFF: Final = "Point-in-time recovery is off on a replica."


def check(table: Resource, settings: Settings) -> Outcomes:
    """Check a table, or a replica declared by itself."""
    days = settings.integer("minimumRecoveryDays")
    if table.type in TABLE_REPLICA.types:
        yield from switched_on(table.at("pointInTimeRecovery"), REPLICA_OFF)
    elif table.type == AWS_TABLE:
        yield from recoverable(table.at("pointInTimeRecovery"), "enabled", days, OFF)
        for replica in replicas(table):
            yield from switched_on(replica.at("pointInTimeRecovery"), REPLICA_OFF)
        yield from unreadable_replicas(table)
    elif table.type == NATIVE_TABLE:
        yield from recoverable(table.at(SPECIFICATION), SWITCH, days, OFF)
    else:
        for replica in replicas(table):
            yield from recoverable(replica.at(SPECIFICATION), SWITCH, days, REPLICA_OFF)
        yield from unreadable_replicas(table)


def switched_on(switch: PropertyRef, problem: str) -> Outcomes:
    """Require that a switch is on."""
    yield from switch.boolean().must(bool, problem=problem, required="true")


def recoverable(recovery: PropertyRef, switch: str, days: int, problem: str) -> Outcomes:
    """Require that recovery is on and goes back far enough; what is not set is AWS's longest."""
    yield from switched_on(recovery.at(switch), problem)
    period = recovery.at("recoveryPeriodInDays").integer()
    if recovery.entries().value is not None and not period.absent:
        yield from period.must(
            lambda value: days <= value <= LONGEST_PERIOD_DAYS,
            problem="The table cannot be restored from long enough ago.",
            required=f"{days} to {LONGEST_PERIOD_DAYS} days",
        )


def replicas(table: Resource) -> list[PropertyRef]:
    """Return the replicas that the table declares."""
    return table.at("replicas").items().value or []


def unreadable_replicas(table: Resource) -> Outcomes:
    """Say that the table's replicas are unknown or unreadable."""
    listed = table.at("replicas").items()
    yield from listed.unsettled("a list of replicas that is known, each with point-in-time recovery")
    if table.type == NATIVE_GLOBAL_TABLE and listed.settled and not listed.value:
        yield listed.violation("The global table is in no region.", "at least one region")


def remediate(table: Resource, settings: Settings) -> Iterator[PropertyPatch]:
    """Turn recovery on in every region, for as many days as are asked for at least."""
    days = settings.integer("minimumRecoveryDays")
    if table.type in TABLE_REPLICA.types:
        yield from switch_on(table.at("pointInTimeRecovery"), ("pointInTimeRecovery",))
    elif table.type == AWS_TABLE:
        top = "pointInTimeRecovery"
        yield from switch_on(table.at(top, "enabled"), (top, "enabled"))
        yield from lengthen(table.at(top, "recoveryPeriodInDays"), (top, "recoveryPeriodInDays"), days)
        for position, replica in enumerate(replicas(table)):
            yield from switch_on(replica.at(top), ("replicas", position, top))
    elif table.type == NATIVE_TABLE:
        yield from specify(table.at(SPECIFICATION), (SPECIFICATION,), days)
    else:
        for position, replica in enumerate(replicas(table)):
            yield from specify(replica.at(SPECIFICATION), ("replicas", position, SPECIFICATION), days)


def specify(recovery: PropertyRef, path: tuple[PathStep, ...], days: int) -> Iterator[PropertyPatch]:
    """Remediate a block of the form that CloudFormation has."""
    yield from switch_on(recovery.at(SWITCH), (*path, SWITCH))
    yield from lengthen(recovery.at("recoveryPeriodInDays"), (*path, "recoveryPeriodInDays"), days)


def switch_on(switch: PropertyRef, path: tuple[PathStep, ...]) -> Iterator[PropertyPatch]:
    """Turn a switch on that is off or not set."""
    on = switch.boolean()
    if on.settled and not on.value:
        yield PropertyPatch(path, value=True)


def lengthen(period: PropertyRef, path: tuple[PathStep, ...], days: int) -> Iterator[PropertyPatch]:
    """Bring a number of days that is set within the bounds."""
    value = period.integer().value
    if value is not None and not days <= value <= LONGEST_PERIOD_DAYS:
        yield PropertyPatch(path, min(max(value, days), LONGEST_PERIOD_DAYS))


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
