"""What a rule is: a function that evaluates one resource, and the declaration that goes with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from tap_guardrails.model.finding import Outcome
from tap_guardrails.model.record import record
from tap_guardrails.model.resource import Resource
from tap_guardrails.model.settings import ON_UNKNOWN, WAIVERS, Setting, Settings
from tap_guardrails.model.stack import ANY_TYPE, Stack

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
        controls: The published requirements that it answers: framework, identifier and source of each.
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
    controls: tuple[tuple[str, str, str], ...] = ()
    settings: tuple[Setting, ...] = ()
    level: Level = "mandatory"
    coverage: Coverage = "control"

    @property
    def answered(self) -> tuple[Control, ...]:
        """The controls that it answers."""
        return tuple(Control(*control) for control in self.controls)

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
