"""What a rule is, what it says of a resource, and how it says it. Saying nothing means compliant."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias, TypeVar, get_args

from tap_guardrails.model.property_value import Invalid, Known, PropertyRef, PropertyValue, Unknown
from tap_guardrails.model.settings import ON_UNKNOWN, WAIVERS, Setting, Settings
from tap_guardrails.model.stack import ANY_TYPE, Resource, Stack
from tap_guardrails.model.values import record

if TYPE_CHECKING:
    from datetime import date

    from tap_guardrails.model import Finding, Waiver

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
    """Someone's word that a finding may stand, and until when.

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


def ref_of(where: PropertyRef | PropertyValue[T]) -> PropertyRef:
    """Return the reference itself, given it or what was read there."""
    return where if isinstance(where, PropertyRef) else where.ref


def violation(where: PropertyRef | PropertyValue[T], problem: str, required: str, fix: str = "") -> Finding:
    """Say that a property does not meet the requirement."""
    ref = ref_of(where)
    return Finding(Verdict.VIOLATION, problem, ref.path, ref.found(), required, fix)


def undecided(
    where: PropertyRef | PropertyValue[T], required: str, problem: str = "", fix: str = ""
) -> Finding:
    """Say that a property is unknown, so that compliance is undecided."""
    ref = ref_of(where)
    return Finding(
        Verdict.UNDECIDED,
        problem or f"`{ref.path}` is unknown until deployment, so compliance is undecided.",
        ref.path,
        ref.found(),
        required,
        fix or f"Give `{ref.path}` a value that is known at preview: a literal or stack configuration.",
    )


def not_known(where: PropertyRef | PropertyValue[T], what: str, required: str, setting: str) -> Finding:
    """Say that AWS may have added something since this version of the pack, so that it is not called wrong.

    Args:
        where: The property.
        what: What it is: `runtime`.
        required: What has to stand there.
        setting: The policy's setting that adds to what is known.
    """
    ref = ref_of(where)
    return undecided(
        ref,
        required,
        f"The {what} {ref.found()} is not known to this version of the policy pack.",
        f"Correct it; or, if AWS has it, add it to `{setting}` in this policy's configuration.",
    )


def invalid(prop: Invalid, required: str) -> Finding:
    """Say that a property is not of the type that AWS takes."""
    return violation(prop, f"`{prop.ref.path}` is not {prop.wanted}.", required)


def must(
    prop: PropertyValue[T], holds: Callable[[T], bool], *, problem: str, required: str, fix: str = ""
) -> Iterator[Finding]:
    """Require that a property is set and that `holds` is true of its value.

    Args:
        prop: The property as it was read.
        holds: Whether a value is right.
        problem: What to say when it is absent or wrong.
        required: What has to stand there.
        fix: How to remediate it, where the rule's own advice does not fit.
    """
    match prop:
        case Known(value) if holds(value):
            return
        case Unknown():
            yield undecided(prop, required)
        case Invalid():
            yield invalid(prop, required)
        case _:
            yield violation(prop, problem, required, fix)


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
        value: The value.
    """

    path: tuple[PathStep, ...]
    value: bool | int | str


ResourceRemediation: TypeAlias = Callable[[Resource, Settings], Iterable[PropertyPatch]]


@record
class Remediation:
    """What a rule can remediate by itself, where an operator sets its policy to `remediate`.

    Attributes:
        what: What it does, one sentence.
        patches: Yields what to change in a resource that violates the rule, and that holds no unknown the
            rule asks for. The pack takes the patches only if the rule then finds nothing.
    """

    what: str
    patches: ResourceRemediation


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
        name: The policy's name, part of the public contract.
        title: The name that people read.
        description: What has to hold, one sentence.
        why: What goes wrong otherwise, one sentence.
        fix: How to remediate it, one sentence.
        severity: How much harm a violation can do.
        url: Where AWS documents the matter.
        controls: The published requirements that it answers, each with the anchor of the page of AWS Security
            Hub that publishes the mapping: `kms-4: FSBP KMS.4, NIST SC-12 SC-12(2)`.
        types: The type tokens of the resources that it evaluates.
        level: What its findings do unless an operator says otherwise.
        settings: What an operator can set, besides `onUnknown` and `waivers`.
        coverage: What it looks at.
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
        found: list[Control] = []
        for anchor, _, groups in (one.partition(": ") for one in self.controls):
            source = f"{SECURITY_HUB}{anchor.rpartition('-')[0]}-controls.html#{anchor}"
            for framework, *identifiers in (group.split(" ") for group in groups.split(", ")):
                found += [Control(framework, identifier, source) for identifier in identifiers]
        return tuple(found)

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
        remediation: What it can remediate, where that is safe.
        check_in_stack: Yields what only the whole stack tells, such as which resource a value was made from.
    """

    check: ResourceCheck
    remediation: Remediation | None = None
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
    declared = resource.declared
    return "\n".join(
        (
            one_line(finding.problem),
            one_line(f"Where: {declared.name} ({declared.type}), property `{finding.path}`"),
            one_line(f"Found: {finding.found}"),
            one_line(f"Required: {finding.required}"),
            one_line(f"Why: {rule.why}"),
            one_line(f"Fix: {finding.fix or rule.fix}"),
            f"Verdict: {finding.verdict.value}",
            *(waiver_lines(finding.waiver) if finding.waiver else ()),
        )
    )


def waiver_lines(waiver: Waiver) -> tuple[str, ...]:
    """Write a waiver's terms, one a line."""
    return (
        f"Reason: {one_line(waiver.reason)}",
        f"Owner: {one_line(waiver.owner)}",
        f"Expires: {waiver.expires.isoformat()}",
    )


def one_line(text: str) -> str:
    """Keep a text in one line, whatever names of resources and properties are in it."""
    return " ".join(text.split())
