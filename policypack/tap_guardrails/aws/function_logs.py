"""Which log group a Lambda function writes to.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.location import same_location
from tap_guardrails.aws.resource_types import FUNCTION, LOG_GROUP
from tap_guardrails.model import Absent, Invalid, PropertyRef, Relation, Resource, Stack, Unknown
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_PREFIX: Final = "/aws/lambda/"
"""What Lambda puts before a function's name, unless the function names a log group itself."""


@record
class FunctionLogs:
    """A function's log group.

    Attributes:
        node: Where the function names it; absent when it leaves it to Lambda.
        certain: The declared log groups that certainly are it.
        possible: The declared log groups that may be it.
        anything: Whether it may be any log group at all.
    """

    node: PropertyRef
    certain: tuple[Resource, ...]
    possible: tuple[Resource, ...]
    anything: bool


def function_logs(function: Resource, stack: Stack) -> FunctionLogs:
    """Find a function's log group among those that the stack declares."""
    node = FUNCTION.at(function, "loggingConfig", "logGroup")
    reading = node.text()
    if isinstance(reading, Invalid):
        return FunctionLogs(node, (), (), anything=False)
    target = (
        default_group(function, stack)
        if isinstance(reading, Absent)
        else stack.resolve_reference(function, node, LOG_GROUP)
    )
    near = [group for group in target.certain if same_location(function, group)]
    unsure = [group for group in target.certain if same_location(function, group) is None]
    possible = [*unsure, *(group for group in target.possible if same_location(function, group) is not False)]
    return FunctionLogs(node, tuple(near), tuple(possible), target.anything)


def default_group(function: Resource, stack: Stack) -> Relation:
    """Find the log group that Lambda writes to by itself."""
    names = stack.names(LOG_GROUP)
    made_from = stack.memoized(groups_by_function)
    certain, possible = made_from.get(function.urn, ((), ()))
    name = FUNCTION.physical_name(function)
    if name is not None:
        by_name = names.by_name.get(DEFAULT_PREFIX + name, ())
        return Relation((*by_name, *certain), () if by_name else possible)
    functions = stack.names(FUNCTION)
    unclaimed = [
        group
        for group_name, groups in names.by_name.items()
        if group_name.startswith(DEFAULT_PREFIX)
        and group_name.removeprefix(DEFAULT_PREFIX) not in functions.by_name
        for group in groups
    ]
    return Relation(certain, (*possible, *unclaimed))


Groups = tuple[tuple[Resource, ...], tuple[Resource, ...]]


def groups_by_function(stack: Stack) -> dict[str, Groups]:
    """Sort the log groups whose names are not known yet by the functions that the names were made from.

    Returns:
        By a function's URN: the groups made from it alone, and those made from it among others or from
        nothing that tells.
    """
    certain: dict[str, list[Resource]] = {}
    possible: dict[str, list[Resource]] = {}
    every_function = [function.urn for function in stack.of(*FUNCTION.types)]
    for group in stack.names(LOG_GROUP).nameless:
        name = LOG_GROUP.at(group, LOG_GROUP.name_property)
        if not isinstance(name.text(), Unknown) or not group.property_dependencies.get(name.top):
            continue
        target = stack.resolve_reference(group, name, FUNCTION)
        add(certain, (function.urn for function in target.certain), group)
        add(possible, (function.urn for function in target.possible), group)
        add(possible, every_function if target.anything else (), group)
    return {urn: (tuple(certain.get(urn, ())), tuple(possible.get(urn, ()))) for urn in {*certain, *possible}}


def add(groups: dict[str, list[Resource]], urns: Iterable[str], group: Resource) -> None:
    """Note a group with some functions."""
    for urn in urns:
        groups.setdefault(urn, []).append(group)
