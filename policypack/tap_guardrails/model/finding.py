"""What a rule says of a resource: findings, or why it does not apply. Saying nothing means compliant."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from tap_guardrails.model.property_value import Invalid, Known, PropertyRef, PropertyValue, Unknown
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from tap_guardrails.model.resource import Resource

T = TypeVar("T")

MOST_NAMED: Final = 5
"""How many resources a message names, which has to stay one that people read."""

BRACKETS: Final = re.compile(r'\[(\d+|"[^"\]]*")\]')


class Verdict(enum.Enum):
    """Why a finding stands in the way."""

    VIOLATION = "violation"
    """The requirement is not met."""

    UNDECIDED = "undecided"
    """Whether it is met cannot be told before deployment."""

    ERROR = "error"
    """The rule itself failed; nothing is known, so nothing passes."""

    WAIVED = "waived"
    """It stands, and a waiver that is in force lets it."""


@record
class Waiver:
    """Somebody's word that a finding may stand, and until when.

    Attributes:
        finding: Which one: its property, `property = value`, or its first sentence.
        reason: Why it may stand.
        owner: Who answers for that.
        granted: The day on which it was granted.
        expires: The last day on which it holds.
    """

    finding: str
    reason: str
    owner: str
    granted: date
    expires: date

    def covers(self, finding: Finding) -> bool:
        """Tell whether it is about a finding, and no other one."""
        told = (finding.path, f"{finding.path} = {finding.found}", finding.problem)
        return dotted(self.finding) in map(dotted, told)


@record
class Finding:
    """One thing that is wrong with one property.

    Attributes:
        verdict: Violation, undecided, error or waived.
        problem: What is wrong, one sentence.
        path: The property's path.
        found: What stands there, as `PropertyRef.found` shows it.
        required: What has to stand there.
        fix: How to remediate it, where the rule's own advice does not fit.
        waiver: What lets it stand, when it is waived.
    """

    verdict: Verdict
    problem: str
    path: str
    found: str
    required: str
    fix: str = ""
    waiver: Waiver | None = None


@record
class NotApplicable:
    """The rule has nothing to ask of this resource.

    Attributes:
        reason: Why, one sentence.
    """

    reason: str


Outcome: TypeAlias = Finding | NotApplicable
Outcomes: TypeAlias = Iterator[Outcome]


def dotted(text: str) -> str:
    """Return a property path in letters that AWS takes in a tag: `Statement[0]` as `Statement.0`."""
    return BRACKETS.sub(lambda step: "." + step[0].strip("[]").strip('"'), text)


def ref_of(place: PropertyRef | PropertyValue[T]) -> PropertyRef:
    """Return the place itself, given it or what was read there."""
    return place if isinstance(place, PropertyRef) else place.node


def violation(place: PropertyRef | PropertyValue[T], problem: str, required: str, fix: str = "") -> Finding:
    """Say that a property does not meet the requirement."""
    node = ref_of(place)
    return Finding(Verdict.VIOLATION, problem, node.path, node.found(), required, fix)


def undecided(
    place: PropertyRef | PropertyValue[T], required: str, problem: str = "", fix: str = ""
) -> Finding:
    """Say that a property is unknown, so that compliance is undecided."""
    node = ref_of(place)
    return Finding(
        Verdict.UNDECIDED,
        problem or f"`{node.path}` is unknown until deployment, so compliance is undecided.",
        node.path,
        node.found(),
        required,
        fix or f"Give `{node.path}` a value that is known at preview: a literal or stack configuration.",
    )


def not_known(place: PropertyRef | PropertyValue[T], what: str, required: str, setting: str) -> Finding:
    """Say that AWS may have added something since this version of the pack, so that it is not called wrong.

    Args:
        place: Where it stands.
        what: What it is: `runtime`.
        required: What has to stand there.
        setting: The policy's setting that adds to what is known.
    """
    node = ref_of(place)
    return undecided(
        node,
        required,
        f"The {what} {node.found()} is not known to this version of the policy pack.",
        f"Correct it; or, if AWS has it, add it to `{setting}` in this policy's configuration.",
    )


def invalid(reading: Invalid, required: str) -> Finding:
    """Say that a property is not of the kind that AWS takes."""
    return violation(reading, f"`{reading.node.path}` is not {reading.wanted}.", required)


def must(
    reading: PropertyValue[T], holds: Callable[[T], bool], *, problem: str, required: str, fix: str = ""
) -> Iterator[Finding]:
    """Require that a property is set and that `holds` is true of its value.

    Args:
        reading: The property as it was read.
        holds: Whether a value is right.
        problem: What to say when it is absent or wrong.
        required: What has to stand there.
        fix: How to remediate it, where the rule's own advice does not fit.
    """
    match reading:
        case Known(value) if holds(value):
            return
        case Unknown():
            yield undecided(reading, required)
        case Invalid():
            yield invalid(reading, required)
        case _:
            yield violation(reading, problem, required, fix)


def listed(resources: Iterable[Resource]) -> str:
    """List resources in a message by their logical names, each once, the first few of many."""
    names = list(dict.fromkeys(json.dumps(resource.name, ensure_ascii=False) for resource in resources))
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
