"""What makes a finding the same finding in another run: not its words or its line, but what it is about."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.findings import Finding, Report


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """A finding's identity.

    Attributes:
        project: name of the project.
        stack: name of the stack.
        pack: name of the pack.
        policy: name of the policy.
        urn: the resource.
        property_path: the property.
        number: from 1, for the findings that are alike in all of these.
    """

    project: str
    stack: str
    pack: str
    policy: str
    urn: str
    property_path: str
    number: int

    @property
    def fingerprint(self) -> str:
        """The identity as 32 hexadecimal digits."""
        parts = (self.project, self.stack, self.pack, self.policy, self.urn, self.property_path, self.number)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def identified(report: Report) -> Iterator[tuple[Identity, Finding]]:
    """Yield each finding of a stack with its identity, in the order of the report."""
    seen: Counter[tuple[str, str, str, str]] = Counter()
    for finding in report.findings:
        key = (finding.pack, finding.policy, finding.urn, finding.property_path)
        seen[key] += 1
        yield Identity(report.project, report.stack, *key, number=seen[key]), finding
