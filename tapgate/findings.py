"""The one model of what a gate run found; the terminal and every report are drawn from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from tapgate.message import Verdict

SCHEMA: Final = "tap-guardrails/verdict/1"
ADVISORY_LEVELS: Final = frozenset({"advisory", "warning", "none"})

Outcome = Literal["passed", "blocked", "could-not-run"]


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the program.

    Attributes:
        file: path, relative to the project where it is inside, with forward slashes.
        line: line, from 1.
        through: name of the component in the program that made the resource, when the line is that one's.
    """

    file: str
    line: int
    through: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One policy's word on one resource.

    Attributes:
        policy: name of the policy.
        pack: name of its pack.
        level: enforcement level as the engine gave it (mandatory, advisory, …).
        severity: low, medium, high, critical, or empty.
        verdict: violation, undecided (a value is not known yet), error (the rule failed) or waived.
        urn: the resource's URN; the stack's when the policy names none.
        type: its type token.
        name: its name.
        property_path: path of the property, or empty.
        summary: what is wrong.
        found: what was found.
        required: what would pass.
        why: why it matters.
        fix: how to repair it.
        description: what the policy is about.
        location: where the program declares the resource, when the engine knows.
        more: further words of the pack, by key.
    """

    policy: str
    pack: str
    level: str
    severity: str
    verdict: Verdict
    urn: str
    type: str
    name: str
    property_path: str
    summary: str
    found: str
    required: str
    why: str
    fix: str
    description: str = ""
    location: Location | None = None
    more: tuple[tuple[str, str], ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether this finding alone stops the deployment: every level does that is not advisory."""
        return self.level not in ADVISORY_LEVELS

    def as_document(self) -> dict[str, object]:
        """Return the finding as JSON-ready values."""
        document: dict[str, object] = {**asdict(self), "blocks": self.blocks, "more": dict(self.more)}
        document["property"] = document.pop("property_path")
        return document


@dataclass(frozen=True, slots=True)
class PolicyTally:
    """How one policy fared over the stack.

    Attributes:
        policy: name of the policy.
        pack: name of its pack.
        kind: `resource` (asked of each resource) or `stack` (asked once, of all of them).
        passed: number of resources (or 1 for the stack) without a finding.
        failed: number of resources (or 1 for the stack) with one.
        not_applicable: number of resources to which the policy said it does not apply.
        disabled: the policy's config file turns it off.
    """

    policy: str
    pack: str
    kind: Literal["resource", "stack"]
    passed: int
    failed: int
    not_applicable: int
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that was loaded and evaluated.

    Attributes:
        name: its name.
        version: its version.
        path: the folder it was loaded from, as given; empty for one that the organisation requires.
        config: the config that it was given, by file and digest.
    """

    name: str
    version: str
    path: str
    config: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run's result.

    Attributes:
        project: name of the Pulumi project.
        stack: name of the stack.
        packs: the packs that were evaluated.
        findings: in the order of `sorted_findings`.
        tallies: one a policy, sorted by pack and name.
        resources: number of resources that were evaluated.
        notes: warnings of engine, providers and packs that a reader of the verdict must know.
        changes: number of planned operations by kind (create, update, …).
        seconds: wall time of the engine.
    """

    project: str
    stack: str
    packs: tuple[Pack, ...]
    findings: tuple[Finding, ...]
    tallies: tuple[PolicyTally, ...]
    resources: int
    notes: tuple[str, ...]
    changes: tuple[tuple[str, int], ...]
    seconds: float

    @property
    def outcome(self) -> Outcome:
        """Blocked by one finding that is not advisory, else passed."""
        return "blocked" if any(finding.blocks for finding in self.findings) else "passed"

    def as_document(self) -> dict[str, object]:
        """Return the report as JSON-ready values."""
        return {
            "schema": SCHEMA,
            "outcome": self.outcome,
            **asdict(self),
            "changes": dict(self.changes),
            "findings": [finding.as_document() for finding in self.findings],
        }


_SEVERITIES: Final = ("critical", "high", "medium", "low", "")


def sorted_findings(findings: list[Finding]) -> tuple[Finding, ...]:
    """Order findings, always the same way: what blocks first, then by severity, policy and resource."""
    return tuple(
        sorted(
            findings,
            key=lambda one: (
                not one.blocks,
                _SEVERITIES.index(one.severity) if one.severity in _SEVERITIES else len(_SEVERITIES),
                one.policy,
                one.urn,
                one.property_path,
                one.summary,
                repr(one),
            ),
        )
    )
