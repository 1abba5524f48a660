"""A rule's cases, as data: read from `<rule>.cases.yaml` beside the rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_guardrails.assembly import RULES_FOLDER, find_rules
from tap_guardrails.aws.embedded import with_embedded
from tap_guardrails.model import Provider, Resource, ResourceRule, Rule, Stack, Value, decode
from tap_guardrails.model.rule import types_read
from tap_guardrails.model.values import Overlay
from tests.policypack.harness.trees import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CUSTOM = {"aws", "aws-native", "command", "pulumi-nodejs", "pulumi-python", "random"}
"""Packages whose resources have a provider unless a case says `provider: null`."""

RULES: dict[str, Rule] = {rule.name: rule for rule in find_rules()}
TYPES_READ = types_read(RULES.values())

each_rule = pytest.mark.parametrize("rule", list(RULES.values()), ids=list(RULES))
"""For what is shown by all cases of a rule: a test for each costs more than what it runs."""


@dataclass(frozen=True)
class CaseResource:
    """A resource of a case: properties with the protocol's marks, relations by logical names.

    In the case of a stack rule `props` are outputs, and `inputs` what the program asked for.
    """

    name: str
    type: str
    props: Mapping[str, object] = field(default_factory=dict[str, object])
    deps: Mapping[str, list[str]] = field(default_factory=dict[str, "list[str]"])
    parent: str = ""
    provider: Mapping[str, object] | None = field(default_factory=dict[str, object])
    inputs: Mapping[str, object] | None = None

    @property
    def urn(self) -> str:
        return f"urn:pulumi:dev::tap::{self.type}::{self.name}"

    @property
    def provider_name(self) -> str:
        return str((self.provider or {}).get("name", "default"))

    @property
    def provider_urn(self) -> str:
        package = self.type.split(":")[0]
        return f"urn:pulumi:dev::tap::pulumi:providers:{package}::{self.provider_name}"

    @property
    def provider_props(self) -> dict[str, object]:
        return {key: value for key, value in (self.provider or {}).items() if key != "name"}

    @property
    def is_component(self) -> bool:
        return self.provider is None or (not self.provider and self.type.split(":")[0] not in CUSTOM)


@dataclass(frozen=True)
class Expected:
    """A finding that a case expects; empty attributes match anything."""

    verdict: str
    resource: str = ""
    property: str = ""
    text: str = ""


ALONE = "it"
"""The name of the resource of a resource rule's case, unless the case has a stack."""


@dataclass(frozen=True)
class Case:
    """What goes in and what has to come out."""

    rule: Rule
    name: str
    resources: tuple[CaseResource, ...]
    config: Mapping[str, object]
    findings: tuple[Expected, ...]
    not_applicable: str | None
    source: str = ""

    @property
    def identity(self) -> str:
        return f"{self.rule.name}: {self.name}"

    @property
    def in_stack(self) -> bool:
        """Whether it is a resource rule's, over a whole stack of its own."""
        return isinstance(self.rule, ResourceRule) and self.resources[0].name != ALONE

    @property
    def compliant(self) -> bool:
        return not self.findings and self.not_applicable is None

    def urn_of(self, name: str) -> str:
        return next(resource.urn for resource in self.resources if resource.name == name)

    def model(self) -> list[Resource]:
        """The case's resources in the pack's own model."""
        urns = {resource.name: resource.urn for resource in self.resources}
        return [model(resource, urns) for resource in self.resources]


def model(given: CaseResource, urns: Mapping[str, str]) -> Resource:
    provider = Provider(given.provider_urn, decoded(given.provider_props))
    return Resource(
        given.urn,
        given.type,
        given.name,
        decoded(given.props)
        if given.inputs is None
        else Overlay(decoded(given.props), decoded(given.inputs)),
        None if given.is_component else provider,
        urns.get(given.parent, ""),
        {key: tuple(urns.get(name, name) for name in names) for key, names in given.deps.items()},
    )


def decoded(tree: Mapping[str, object]) -> dict[str, Value]:
    return {key: decode(value) for key, value in tree.items()}


def stack_of(case: Case) -> Stack:
    return Stack(tuple(with_embedded(case.model())), types_read=TYPES_READ)


def cases(rule: Rule) -> Iterator[Case]:
    """Read a rule's cases."""
    path = RULES_FOLDER / f"{rule.name.replace('-', '_')}.cases.yaml"
    if not path.exists():
        return
    defaults: dict[str, Any] = {}
    for entry in load(path):
        if "defaults" in entry:
            defaults = cast("dict[str, Any]", entry["defaults"])
            continue
        yield case_of(rule, defaults, entry)


def case_of(rule: Rule, defaults: Mapping[str, Any], entry: Mapping[str, Any]) -> Case:
    if isinstance(rule, ResourceRule) and "resources" not in entry:
        given: dict[str, Any] = {"type": rule.types[0]}
        given |= {key: entry[key] for key in ("type", "props", "provider") if key in entry}
        resources = (CaseResource(ALONE, **given),)
    else:
        resources = tuple(CaseResource(**one) for one in merged(defaults.get("resources", []), entry))
    expected: Any = entry["expect"]
    findings: tuple[Expected, ...] = ()
    if isinstance(expected, list):
        findings = tuple(Expected(**one) for one in cast("list[dict[str, str]]", expected))
    reason = cast("dict[str, str]", expected).get("not-applicable") if isinstance(expected, dict) else None
    if not findings and reason is None and expected != "compliant":
        raise ValueError(
            f"{rule.name}: {entry['name']}: `expect` is neither compliant, findings nor a reason"
        )
    return Case(
        rule,
        entry["name"],
        resources,
        {**defaults.get("config", {}), **entry.get("config", {})},
        findings,
        reason,
        entry.get("source", ""),
    )


def merged(base: list[dict[str, Any]], entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Apply a case's changes to the rule's default stack.

    `change` maps a resource's name to what replaces parts of it: `props` are merged (null takes one away),
    everything else replaces. A resource changed to null is taken away. `add` appends to the stack and
    `resources` replaces it.
    """
    if "resources" in entry:
        return cast("list[dict[str, Any]]", entry["resources"])
    changes = cast("dict[str, dict[str, Any] | None]", entry.get("change", {}))
    unheard = changes.keys() - {resource["name"] for resource in base}
    if unheard:
        raise ValueError(f"{entry['name']}: changes to resources that are not there: {sorted(unheard)}")
    out: list[dict[str, Any]] = []
    for resource in base:
        change = changes.get(resource["name"], {})
        if change is None:
            continue
        props = {**resource.get("props", {}), **change.get("props", {})}
        out.append({**resource, **change, "props": {k: v for k, v in props.items() if v is not None}})
    return [*out, *cast("list[dict[str, Any]]", entry.get("add", []))]


def all_cases() -> list[Case]:
    return [case for rule in RULES.values() for case in cases(rule)]
