"""The one model of what a gate run found, or of why it found nothing; all that is said is rendered from it.

A pack's finding is a text: one line that says what is wrong, then `Key: value` lines: Where, Found, Required,
Why, Fix, Verdict (and whatever else a pack adds). pulumi-policy puts the policy's description before it. Any
other text is a finding too: its words are kept whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Final, Literal, get_args

Verdict = Literal["violation", "undecided", "error", "waived"]

_VERDICTS: Final[Mapping[str, Verdict]] = {word: word for word in get_args(Verdict)}
_KEY_LINE: Final = re.compile(r"(?P<key>[A-Z][A-Za-z]{1,30}):(?: (?P<value>.*))?")
_FIRST_KEYS: Final = frozenset({"Where", "Found", "Required", "Why", "Fix", "Verdict"})
_PROPERTY: Final = re.compile(r".*, property `(?P<path>.*)`")
# How pulumi-policy reports a policy that could not read an unknown value: always as an advisory.
_UNKNOWN_READ: Final = re.compile(r"can't run (?:policy|remediation) '.*' during preview: ")


@dataclass(frozen=True, slots=True)
class FindingText:
    """One finding's words.

    Attributes:
        description: what the policy is about, when the engine put that before the finding.
        where: the resource and property as the pack names them.
        property_path: path of the property inside the resource, or empty.
        found: what was found, as JSON or in words.
        more: further `Key: value` lines of the pack.
    """

    summary: str
    description: str = ""
    where: str = ""
    property_path: str = ""
    found: str = ""
    required: str = ""
    why: str = ""
    fix: str = ""
    verdict: Verdict = "violation"
    more: Mapping[str, str] = field(default_factory=dict[str, str])


def parse(message: str) -> FindingText:
    """Take a finding's text apart; never fails, never drops a word."""
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    keys = [match and match["key"] for match in map(_KEY_LINE.fullmatch, lines)]
    start = next((number for number, key in enumerate(keys) if key in _FIRST_KEYS), len(lines))
    head, tail = lines[:start], lines[start:]
    if not tail:
        return _free_text(head)
    fields, loose = _fields(tail)
    where = fields.pop("Where", "")
    property_match = _PROPERTY.fullmatch(where)
    return FindingText(
        summary=" ".join([*head[-1:], *loose]),
        description=" ".join(head[:-1]),
        where=where,
        property_path=property_match["path"] if property_match else "",
        found=fields.pop("Found", ""),
        required=fields.pop("Required", ""),
        why=fields.pop("Why", ""),
        fix=fields.pop("Fix", ""),
        verdict=_verdict(fields.pop("Verdict", ""), loose),
        more=fields,
    )


def _fields(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """Read `Key: value` lines; a line without a key, or with one that was there before, is loose text."""
    fields: dict[str, str] = {}
    loose: list[str] = []
    for line in lines:
        match = _KEY_LINE.fullmatch(line)
        if match is None or match["key"] in fields:
            loose.append(line)
        else:
            fields[match["key"]] = match["value"] or ""
    return fields, loose


def _verdict(word: str, loose: list[str]) -> Verdict:
    """Take the verdict; with a second one (a forged line in a name, say) neither is believed."""
    if any(line.startswith("Verdict:") for line in loose):
        return "violation"
    return _VERDICTS.get(word.lower(), "violation")


def _free_text(lines: list[str]) -> FindingText:
    """Read a finding of another pack: the first of several lines is the policy's description."""
    unknown = next((line for line in lines if _UNKNOWN_READ.match(line)), None)
    description, rest = (lines[0], lines[1:]) if len(lines) > 1 else ("", lines)
    return FindingText(
        summary=" ".join(rest) or "The pack reported a finding without any text.",
        description=description,
        verdict="undecided" if unknown else "violation",
    )


SCHEMA: Final = "tap-guardrails/verdict/1"
ADVISORY_LEVELS: Final = frozenset({"advisory", "warning", "none"})

Outcome = Literal["passed", "blocked", "could-not-run"]


@dataclass(frozen=True, slots=True)
class Location:
    """Where in the program something is declared.

    Attributes:
        file: path, relative to the project where it is inside, with forward slashes.
        through: name of the component in the program that made the resource, when the line is that one's.
    """

    file: str
    line: int
    through: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


Question = tuple[str, str, str]
"""What a finding answers: is this resource as this policy asks? Pack, policy and URN."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One policy's word on one resource.

    Attributes:
        level: enforcement level as the engine gave it (mandatory, advisory, …).
        severity: low, medium, high, critical, or empty.
        verdict: violation, undecided (a value is not known yet), error (the rule failed) or waived.
        urn: the resource's URN; the stack's when the policy names none.
        location: where the program declares the resource, when the engine knows.
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
    more: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def blocks(self) -> bool:
        """Whether this finding alone stops the deployment: every level does that is not advisory."""
        return self.level not in ADVISORY_LEVELS

    def as_document(self) -> dict[str, object]:
        """Return the finding as JSON-ready values."""
        document: dict[str, object] = {**asdict(self), "blocks": self.blocks}
        document["property"] = document.pop("property_path")
        return document


@dataclass(frozen=True, slots=True)
class PolicyTally:
    """How one policy fared over the stack.

    Attributes:
        kind: `resource` (asked of each resource) or `stack` (asked once, of all of them).
        passed: number of resources (or 1 for the stack) without a finding.
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
        path: the folder it was loaded from, as given; empty for one that the organisation requires.
        config: the config that it was given, by file and digest.
    """

    name: str
    version: str
    path: str
    config: str = ""


@dataclass(frozen=True, slots=True)
class Guardrails:
    """Which guardrails of which operator a verdict is by.

    Attributes:
        version: the git commit that its files are at, or that they are in none.
        team: the files by which a team tightened them, with their digests; empty for none.
    """

    folder: str
    version: str
    digest: str
    team: str = ""

    def __str__(self) -> str:
        own = f"{self.folder}, {self.version} (sha256 {self.digest[:12]})"
        return f"{own}; tightened by {self.team}" if self.team else own


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run's result.

    Attributes:
        notes: warnings of engine, providers and packs that a reader of the verdict must know.
        changes: number of planned operations by kind (create, update, …).
        seconds: wall time of the engine.
        coverage: by URN, what looked at each resource that a provider makes: `control`, `tags` (at its tags
            alone) or `none`.
        sandbox: where engine, program and plug-ins ran; empty when none ran.
    """

    project: str
    stack: str
    packs: tuple[Pack, ...]
    findings: tuple[Finding, ...]
    tallies: tuple[PolicyTally, ...]
    resources: int
    notes: tuple[str, ...]
    changes: Mapping[str, int]
    seconds: float
    coverage: Mapping[str, str] = field(default_factory=dict[str, str])
    sandbox: str = ""
    guardrails: Guardrails | None = None

    def covered_by(self, what: str) -> tuple[str, ...]:
        """Return the URNs of the resources that only `control`, `tags` or `none` looked at."""
        return tuple(urn for urn, by in self.coverage.items() if by == what)

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
            "findings": [finding.as_document() for finding in self.findings],
        }


SEVERITIES: Final = ("critical", "high", "medium", "low", "")


def severity_rank(severity: str) -> int:
    """Return a number that puts the gravest severity first, and one that is not known last."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def sorted_findings(findings: list[Finding]) -> tuple[Finding, ...]:
    """Order findings, always the same way: what blocks first, then by severity, policy and resource."""

    def order(one: Finding) -> tuple[object, ...]:
        about = (severity_rank(one.severity), one.policy, one.urn, one.property_path, one.summary)
        return not one.blocks, *about, repr(one)

    return tuple(sorted(findings, key=order))


class Exit(IntEnum):
    """Exit codes of every gate command."""

    PASSED = 0
    BLOCKED = 1
    COULD_NOT_RUN = 2
    CHANGED = 3
    """Stopped or blocked after something was changed."""


class CouldNotRunError(Exception):
    """No verdict can be given; carries the message in the form that every message of the gate has.

    Attributes:
        what: what is wrong, one sentence.
        where: the file, stack, resource or option that it is about.
        why: why it matters.
        fix: what to do, concretely.
        details: lines of evidence (the engine's own words), shown indented below.
        code: the exit code.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str,
        why: str,
        fix: str,
        details: tuple[str, ...] = (),
        code: Exit = Exit.COULD_NOT_RUN,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.fix = fix
        self.details = details
        self.code = code
