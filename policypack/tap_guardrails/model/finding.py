"""What a rule says of a resource: findings, or why it does not apply. Saying nothing means compliant."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

from tap_guardrails.model.values import record

if TYPE_CHECKING:
    from datetime import date

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
    """Someone's word that a finding may stand, and until when.

    Attributes:
        finding: Which one: its property, `property = value`, or its first sentence.
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
        problem: What is wrong, one sentence.
        found: What stands there, as `PropertyRef.found` shows it.
        required: What has to stand there.
        fix: How to remediate it, where the rule's own advice does not fit.
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
    """The rule has nothing to ask of this resource."""

    reason: str


Outcome: TypeAlias = Finding | NotApplicable
Outcomes: TypeAlias = Iterator[Outcome]


def dotted(text: str) -> str:
    """Return a property path in letters that AWS takes in a tag: `Statement[0]` as `Statement.0`."""
    return BRACKETS.sub(lambda step: "." + step[0].strip("[]").strip('"'), text)
