"""What a rule is: a function that evaluates a resource, its declaration, and the message of what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from tap_guardrails.model.finding import Finding, Outcome
from tap_guardrails.model.settings import ON_UNKNOWN, WAIVERS, Setting, Settings
from tap_guardrails.model.stack import ANY_TYPE, Resource, Stack
from tap_guardrails.model.values import record

MOST_NAMED: Final = 5
"""How many resources a message names, which has to stay one that people read."""


def listed(resources: Iterable[Resource]) -> str:
    """List resources in a message by their logical names, each once, the first few of many."""
    names = list(dict.fromkeys(json.dumps(resource.name, ensure_ascii=False) for resource in resources))
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


TYPES_SHOWN: Final = 4

ResourceCheck: TypeAlias = Callable[[Resource, Settings], Iterable[Outcome]]
StackCheck: TypeAlias = Callable[[Resource, Stack, Settings], Iterable[Outcome]]


PathStep: TypeAlias = str | int


@record
class PropertyPatch:
    """A property's new value.

    Attributes:
        path: Where it goes: names of fields and positions in lists. Objects that are missing are made.
    """

    path: tuple[PathStep, ...]
    value: bool | int | str


Severity: TypeAlias = Literal["low", "medium", "high", "critical"]
"""How much harm a violation can do."""

Level: TypeAlias = Literal["advisory", "mandatory", "remediate", "disabled"]
"""What a policy's findings do: they are shown; they block; they block where the policy cannot remediate the
resource; there are none."""

LEVELS: Final[tuple[Level, ...]] = get_args(Level)

Coverage: TypeAlias = Literal["control", "tags", "none"]
"""What a policy looks at, for the question whether a resource was evaluated at all: the resource's own
configuration; its tags alone; nothing that tells whether the resource is sound."""


SECURITY_HUB: Final = "https://docs.aws.amazon.com/securityhub/latest/userguide/"


class Control(NamedTuple):
    """A requirement of a published framework that the policy answers.

    Attributes:
        framework: `FSBP`, `CIS`, `NIST`, `PCI`: the names are in `assembly.FRAMEWORKS`.
        identifier: As the framework writes it: `KMS.4`, `SC-12(2)`.
        source: Where the mapping is published, a URL.
    """

    framework: str
    identifier: str
    source: str


@record(kw_only=True)
class Declaration:
    """What is said of a rule; where it is said, `name` is also the file's name with `_` for `-`.

    Attributes:
        title: The name that people read.
        description: What has to hold, one sentence.
        why: What goes wrong otherwise, one sentence.
        fix: How to remediate it, one sentence.
        url: Where AWS documents the matter.
        controls: The published requirements that it answers, each with the anchor of the page of AWS Security
            Hub that publishes the mapping: `kms-4: FSBP KMS.4, NIST SC-12 SC-12(2)`.
        types: The type tokens of the resources that it evaluates.
        level: What its findings do unless an operator says otherwise.
    """

    name: str
    title: str
    description: str
    why: str
    fix: str
    severity: Severity
    url: str
    types: tuple[str, ...]
    controls: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()
    level: Level = "mandatory"
    coverage: Coverage = "control"

    @property
    def answered(self) -> tuple[Control, ...]:
        """The published requirements that it answers."""
        controls: list[Control] = []
        for anchor, _, groups in (one.partition(": ") for one in self.controls):
            source = f"{SECURITY_HUB}{anchor.rpartition('-')[0]}-controls.html#{anchor}"
            for framework, *identifiers in (group.split(" ") for group in groups.split(", ")):
                controls += [Control(framework, identifier, source) for identifier in identifiers]
        return tuple(controls)

    @property
    def types_shown(self) -> str:
        """Its types in a message: the first few, and how many more there are."""
        if ANY_TYPE in self.types:
            return "resources of every type"
        more = len(self.types) - TYPES_SHOWN
        return ", ".join(self.types[:TYPES_SHOWN]) + (f" and {more} more types" if more > 0 else "")

    @property
    def all_settings(self) -> tuple[Setting, ...]:
        """All that an operator can set."""
        return (*self.settings, ON_UNKNOWN, WAIVERS)


@record(kw_only=True)
class ResourceRule(Declaration):
    """A rule that needs nothing but the resource's own inputs.

    Attributes:
        check: Yields findings, or one `NotApplicable`; nothing when the resource is compliant.
        remediation: What `patches` remediates where an operator sets the policy to `remediate`, one sentence.
        patches: What to change in a resource that violates the rule, and that holds no unknown the rule asks
            for. The pack takes the patches only if the rule then finds nothing.
        check_in_stack: Yields what only the whole stack tells, such as which resource a value was made from.
    """

    check: ResourceCheck
    remediation: str = ""
    patches: Callable[[Resource, Settings], Iterable[PropertyPatch]] | None = None
    check_in_stack: StackCheck | None = None


@record(kw_only=True)
class StackRule(Declaration):
    """A rule that evaluates each resource of its types by what else is in the stack.

    Attributes:
        check: Yields findings, or one `NotApplicable`; nothing when the resource is compliant.
    """

    check: StackCheck


Rule: TypeAlias = ResourceRule | StackRule


def types_read(rules: Iterable[Rule]) -> frozenset[str]:
    """Return the types of which some rule reads the configuration."""
    return frozenset(token for rule in rules if rule.coverage == "control" for token in rule.types)


def message(rule: Declaration, resource: Resource, finding: Finding) -> str:
    """Write a finding: the problem in the first line, then one `Key: value` a line, a waiver's terms last."""
    declared, waiver = resource.declared, finding.waiver
    lines = [
        finding.problem,
        f"Where: {declared.name} ({declared.type}), property `{finding.path}`",
        f"Found: {finding.found}",
        f"Required: {finding.required}",
        f"Why: {rule.why}",
        f"Fix: {finding.fix or rule.fix}",
        f"Verdict: {finding.verdict.value}",
    ]
    if waiver is not None:
        lines += [
            f"Reason: {waiver.reason}",
            f"Owner: {waiver.owner}",
            f"Expires: {waiver.expires.isoformat()}",
        ]
    # Each stays one line, whatever names of resources and properties are in it.
    return "\n".join(" ".join(line.split()) for line in lines)
