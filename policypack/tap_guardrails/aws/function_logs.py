"""Which log group a Lambda function writes to.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws.edge import LOG_PREFIX, is_edge
from tap_guardrails.aws.location import same_location
from tap_guardrails.aws.resource_types import FUNCTION, LOG_GROUP
from tap_guardrails.model import (
    Absent,
    Invalid,
    PropertyRef,
    Relation,
    RelationIndex,
    Resource,
    Stack,
    Unknown,
)
from tap_guardrails.model.values import record

DEFAULT_PREFIX: Final = "/aws/lambda/"
"""What Lambda puts before a function's name, unless the function names a log group itself."""


@record
class FunctionLogs:
    """A function's log group.

    Attributes:
        ref: Where the function names it; absent when it leaves it to Lambda.
        groups: The declared log groups that it is, or may be.
        edge: Whether CloudFront runs the function, so that each region has such a group.
    """

    ref: PropertyRef
    groups: Relation
    edge: bool = False


def function_logs(function: Resource, stack: Stack) -> FunctionLogs:
    """Find a function's log group among those that the stack declares."""
    ref = FUNCTION.at(function, "loggingConfig", "logGroup")
    reading = ref.text()
    if isinstance(reading, Invalid):
        return FunctionLogs(ref, Relation())
    edge = is_edge(function, stack)
    if edge is not False and isinstance(reading, Absent):
        return FunctionLogs(ref, edge_groups(function, stack, certain=edge is True), edge is True)
    groups = (
        default_group(function, stack)
        if isinstance(reading, Absent)
        else stack.resolve_reference(function, ref, LOG_GROUP)
    )
    return FunctionLogs(ref, groups.where(lambda group: same_location(function, group)))


def edge_groups(function: Resource, stack: Stack, *, certain: bool) -> Relation:
    """Find the log groups of a function that CloudFront runs, or may run, in whichever region."""
    name, made_from = FUNCTION.physical_name(function), stack.memoized(groups_by_function).of(function.urn)
    named = stack.names(LOG_GROUP).of(LOG_PREFIX + name).certain if name is not None else ()
    groups = (*named, *made_from.certain)
    return Relation(groups, made_from.possible) if certain else Relation((), groups, anything=True)


def default_group(function: Resource, stack: Stack) -> Relation:
    """Find the log group that Lambda writes to by itself."""
    groups, made_from = stack.names(LOG_GROUP), stack.memoized(groups_by_function).of(function.urn)
    name = FUNCTION.physical_name(function)
    if name is not None:
        named = groups.of(DEFAULT_PREFIX + name).certain
        return Relation((*named, *made_from.certain), () if named else made_from.possible)
    functions = stack.names(FUNCTION)
    unclaimed = [
        group
        for group_name, named in groups.certain.items()
        if group_name.startswith(DEFAULT_PREFIX)
        and group_name.removeprefix(DEFAULT_PREFIX) not in functions.certain
        for group in named
    ]
    return Relation(made_from.certain, (*made_from.possible, *unclaimed))


def groups_by_function(stack: Stack) -> RelationIndex:
    """Index the log groups whose names are not known yet by the functions that the names were made from."""
    index = RelationIndex()
    for group in stack.names(LOG_GROUP).anywhere:
        name = LOG_GROUP.at(group, LOG_GROUP.name_property)
        if isinstance(name.text(), Unknown) and group.property_dependencies.get(name.top):
            index.add(group, stack.resolve_reference(group, name, FUNCTION))
    return index
