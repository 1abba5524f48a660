"""Each DynamoDB table has effective alarms on refused reads and on refused writes.

Reads and writes are refused apart, each with its own capacity: an alarm on one says nothing of the other,
so both have to be watched, by one alarm or by several. `ReadThrottleEvents` and `WriteThrottleEvents` are
emitted for the table; `ThrottledRequests` only for each operation, so an alarm on it counts for that
operation. `UserErrors` carries no table name. What a global secondary index refuses counts for the index and
not for the table, so each index has to be watched as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tap_guardrails.aws import TABLE
from tap_guardrails.aws.alarms import (
    ALARM_SETTINGS,
    AlarmCoverage,
    AlarmMatch,
    RequiredMetric,
    coverage,
    missing_alarm,
)
from tap_guardrails.aws.sub_resources import SubResource, sub_resources
from tap_guardrails.model import (
    Enum,
    Known,
    Outcomes,
    PropertyRef,
    Resource,
    ResourceType,
    Settings,
    Stack,
    StackRule,
    StringList,
)

OPERATIONS: Final = {
    "reads": frozenset({"GetItem", "BatchGetItem", "Query", "Scan"}),
    "writes": frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"}),
}
"""The operations that `ThrottledRequests` tells apart, by direction."""
ALL_OPERATIONS: Final = frozenset[str]().union(*OPERATIONS.values())

METRIC: Final = {"reads": "ReadThrottleEvents", "writes": "WriteThrottleEvents"}
BY_METRIC: Final = {METRIC[direction]: operations for direction, operations in OPERATIONS.items()}

INDEX: Final = "GlobalSecondaryIndexName"
INDEX_NAME: Final = {token: "name" if token.startswith("aws:") else "indexName" for token in TABLE.types}
INDEXES_OF: Final = SubResource(
    ResourceType("global secondary index", {"aws:dynamodb/globalSecondaryIndex:GlobalSecondaryIndex": {}}),
    "tableName",
    TABLE,
)
REQUIRE, EXEMPT = "require", "exempt"


def metric(name: str, *further: str) -> RequiredMetric:
    """Return a metric of a table, with other dimensions than its name or without."""
    return RequiredMetric("AWS/DynamoDB", name, "TableName", TABLE, frozenset(further))


def shown(direction: str) -> str:
    """Name the metric of reads or writes in a message."""
    return f"AWS/DynamoDB {METRIC[direction]}"


REQUESTS: Final = metric("ThrottledRequests", "Operation")
METRICS: Final = (*map(metric, METRIC.values()), REQUESTS)


def check(table: Resource, stack: Stack, settings: Settings) -> Outcomes:
    """Check a table."""
    coverages = [coverage(table, one, stack, settings) for one in METRICS]
    certain = [match for one in coverages for match in one.certain]
    possible = [match for one in coverages for match in one.possible]
    useless = [match for one in coverages for match in one.useless]
    for direction in settings.strings("watch"):
        left = OPERATIONS[direction] - noticed_by_all(certain, certainly=True)
        if left:
            decidable = left - noticed_by_all(possible, certainly=False)
            yield missing_alarm(
                TABLE,
                table,
                AlarmCoverage((), () if decidable else about(possible, left), about(useless, left)),
                problem=f"No effective alarm watches the table's refused {direction}.",
                required=f"an alarm on {shown(direction)} with the one dimension TableName, for this table",
            )
    if settings.enum("indexes") == REQUIRE:
        requests = noticed_by_all(coverages[METRICS.index(REQUESTS)].certain, certainly=True)
        yield from index_findings(table, stack, settings, requests)


def index_findings(table: Resource, stack: Stack, settings: Settings, requests: frozenset[str]) -> Outcomes:
    """Require alarms for each global secondary index."""
    listed = TABLE.at(table, "globalSecondaryIndexes")
    indexes = table.as_set(listed).items()
    if indexes.unknown:
        yield indexes.undecided("indexes that are known, since each has to be watched")
    names = [one.at(INDEX_NAME[table.type]) for one in indexes.value] if isinstance(indexes, Known) else []
    names += [one.at("indexName") for one in sub_resources(stack, table, INDEXES_OF).certain]
    for direction in settings.strings("watch"):
        if direction == "writes" and requests >= OPERATIONS["writes"]:
            continue
        covered = coverage(table, metric(METRIC[direction], INDEX), stack, settings)
        for name in names:
            if not any(is_about(match, name) for match in covered.certain):
                unsure = (*covered.possible, *covered.certain)
                yield missing_alarm(
                    TABLE,
                    table,
                    AlarmCoverage(
                        (),
                        tuple(match for match in unsure if is_about(match, name) is not False),
                        tuple(match for match in covered.useless if is_about(match, name)),
                    ),
                    problem=f"No effective alarm watches the refused {direction} of index {name.found()}.",
                    required=f"an alarm on {shown(direction)} with the dimensions TableName and {INDEX}",
                )


def is_about(match: AlarmMatch, index: PropertyRef) -> bool | None:
    """Return whether an alarm is about an index of its table; None while that is undecided."""
    dimensions = match.series.dimensions if match.series is not None else None
    if not isinstance(dimensions, Known) or INDEX not in dimensions.value:
        return None
    if match.series is not None and INDEX in match.series.grouped:
        return True
    watched, wanted = dimensions.value[INDEX].text(), index.text()
    if watched.unknown or wanted.unknown:
        return None
    return watched.value is not None and watched.value == wanted.value


def about(matches: Sequence[AlarmMatch], operations: frozenset[str]) -> tuple[AlarmMatch, ...]:
    """Return the alarms that may notice one of some operations."""
    return tuple(match for match in matches if noticed(match, certainly=False) & operations)


def noticed_by_all(matches: Sequence[AlarmMatch], *, certainly: bool) -> frozenset[str]:
    """Return the operations whose refusal some alarms notice, or may notice."""
    return frozenset(operation for match in matches for operation in noticed(match, certainly=certainly))


def noticed(match: AlarmMatch, *, certainly: bool) -> frozenset[str]:
    """Return the operations whose refusal an alarm notices, or may notice."""
    if match.series is None:
        return ALL_OPERATIONS
    name, dimensions = match.series.name, match.series.dimensions
    if name.value in BY_METRIC:
        return BY_METRIC[name.value]
    operation = dimensions.value.get("Operation") if isinstance(dimensions, Known) else None
    prop = operation.text() if operation else None
    if isinstance(prop, Known):
        return frozenset({prop.value})
    return frozenset() if certainly else ALL_OPERATIONS


RULE = StackRule(
    name="dynamodb-throttle-alarm",
    title="DynamoDB tables have alarms on throttling",
    description="Each DynamoDB table is watched by effective alarms on refused reads and writes.",
    why="DynamoDB refuses what exceeds a table's capacity; clients slow down, and no one is told.",
    fix="Add a metric alarm on the sum of AWS/DynamoDB ReadThrottleEvents and WriteThrottleEvents (math "
    "`reads + writes`), dimension TableName set to the table's name, and an SNS topic in `alarmActions`.",
    severity="high",
    url="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html",
    controls=("cloudwatch-15: NIST CA-7 SI-4(5)",),
    types=TABLE.types,
    settings=(
        StringList(
            "watch",
            ("reads", "writes"),
            "What has to be watched: a table that is only ever read needs no alarm on writes.",
            choices=("reads", "writes"),
            at_least=1,
            stricter="more",
        ),
        Enum(
            "indexes",
            REQUIRE,
            "Global secondary indexes: `require` alarms on each, as the table's own metrics leave them out, "
            "or `exempt` them. `require` is stricter.",
            (REQUIRE, EXEMPT),
        ),
        *ALARM_SETTINGS,
    ),
    check=check,
)
