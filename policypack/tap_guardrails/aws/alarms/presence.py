"""The findings of policies that ask for an alarm: none, or one of which nobody can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.listing import listed
from tap_guardrails.model import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_guardrails.aws.alarms.watching import Watch
    from tap_guardrails.model import Resource, ResourceType

DECIDABLE: Final = (
    "Make the alarm decidable at preview: set its dimension from the resource's own name output and from "
    "nothing else, leave no other property of it unknown, and put it under the same provider."
)


def missing_alarm(
    kind: ResourceType,
    resource: Resource,
    possible: Sequence[Watch],
    useless: Sequence[Watch],
    *,
    problem: str,
    required: str,
) -> Finding:
    """Say that no effective alarm watches a resource.

    Args:
        kind: The kind of the resource.
        resource: The resource.
        possible: Alarms of which nobody can tell; with them the finding is undecided.
        useless: Alarms that would watch it, were they effective.
        problem: What nobody watches.
        required: The alarm that is wanted.
    """
    path = kind.at(resource, kind.name_property).path
    if possible:
        doubt = f"{problem} Nobody can tell whether {named(possible)} does."
        return Finding(Verdict.UNDECIDED, doubt, path, named(possible), required, DECIDABLE)
    if useless:
        near = f"{problem} {named(useless)} would, but is not effective: policy alarm-effective says why."
        fix = "Repair the alarm as policy alarm-effective says."
        return Finding(Verdict.VIOLATION, near, path, named(useless), required, fix)
    return Finding(Verdict.VIOLATION, problem, path, "nothing", required)


def named(watches: Sequence[Watch]) -> str:
    """List alarms."""
    return listed(watch.alarm.resource for watch in watches)
