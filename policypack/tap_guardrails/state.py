"""The pack over the resources of a state file: what the policies say of them, without engine and protocol.

A resource rule sees a resource's inputs, a stack rule its outputs and, where those are unknown, its inputs,
as over the protocol: https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/analyze_snapshot.go
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from tap_guardrails.assembly import find_rules
from tap_guardrails.aws.embedded import with_embedded
from tap_guardrails.evaluation import Answer, Configuration, Reported, Run, configure
from tap_guardrails.model import Coverage, Provider, Resource, Rule, Value, decode
from tap_guardrails.model.rule import message
from tap_guardrails.model.values import MAXIMUM_DEPTH, LazyMapping, Overlay, record
from tap_guardrails.waivers import in_stack, today_utc

if TYPE_CHECKING:
    from datetime import date

OWN_PACKAGE: Final = "pulumi:"
PROVIDERS: Final = "pulumi:providers:"
ENGINES: Final = "__"
"""What the names of the engine's own properties begin with; within a value a program may name one so."""
DEFAULTS: Final = "__defaults"
"""What bridges add to objects within a value as well: the names of what they set."""


@record
class PolicyFinding:
    """A finding, in words.

    Attributes:
        level: `mandatory` or `advisory`: whether it blocks.
        severity: How much harm it can do.
        verdict: `violation`, `undecided`, `error` or `waived`.
        message: The whole text, as the engine shows it.
    """

    policy: str
    urn: str
    level: str
    severity: str
    verdict: str
    property: str
    message: str


@record
class PolicySummary:
    """Which policies passed, of a resource by the resource policies, or of the stack by the stack policies.

    Attributes:
        urn: The resource's URN; empty for the stack.
        not_applicable: Those that do not apply, with the reason.
    """

    urn: str
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    not_applicable: Mapping[str, str]


@record
class PackEvaluation:
    """What the pack says of a stack.

    Attributes:
        findings: What is wrong, resource by resource, then of the stack.
        coverage: By the URN of each resource that a provider makes, what looked at it: `control`, `tags`,
            `none`.
    """

    findings: tuple[PolicyFinding, ...]
    resources: tuple[PolicySummary, ...]
    stack: PolicySummary
    coverage: Mapping[str, str]


def evaluate_state(
    records: Iterable[Mapping[str, object]],
    config: Mapping[str, object],
    stack_config: Mapping[str, str],
    secret_keys: Sequence[str],
    today: date | None,
) -> PackEvaluation:
    """Evaluate the resources of a state; `tap_guardrails.evaluate` says what goes in."""
    configuration = configure(find_rules(), config)
    secrets = frozenset(stack_config[key] for key in secret_keys if key in stack_config)
    day = (lambda: today) if today else today_utc
    run = Run(configuration, in_stack(stack_config, secret_keys), day, secrets)
    # To look for cycles takes a quarter of the time in a large state, and finds none.
    collects = gc.isenabled()
    gc.disable()
    try:
        return evaluated(run, configuration, records)
    finally:
        if collects:
            gc.enable()


def evaluated(
    run: Run, configuration: Configuration, records: Iterable[Mapping[str, object]]
) -> PackEvaluation:
    """Evaluate each resource, then the stack."""
    declared = [one for one in records if one.get("delete") is not True]
    providers = providers_of(declared)
    findings: list[PolicyFinding] = []
    summaries: list[PolicySummary] = []
    resources: list[Resource] = []
    enabled = frozenset(rule.name for rule in configuration.resource_rules)
    for one in declared:
        resource = resource_of(one, providers)
        answer = run.analyze(resource)
        findings.extend(map(policy_finding, answer.findings))
        summaries.append(summary(resource.urn, answer, enabled))
        outputs = Overlay(properties_of(own(one.get("outputs"))), resource.properties)
        resources.append(replace(resource, properties=outputs))
    answer = run.analyze_stack(resources)
    findings.extend(map(policy_finding, answer.findings))
    stack = summary("", answer, frozenset(rule.name for rule in configuration.stack_rules))
    return PackEvaluation(tuple(findings), tuple(summaries), stack, coverage(resources, configuration))


def policy_finding(reported: Reported) -> PolicyFinding:
    """Return a finding in words."""
    rule, finding = reported.rule, reported.finding
    return PolicyFinding(
        rule.name,
        reported.resource.declared.urn,
        reported.level,
        rule.severity,
        finding.verdict.value,
        finding.path,
        message(rule, reported.resource, finding),
    )


def summary(urn: str, answer: Answer, enabled: frozenset[str]) -> PolicySummary:
    """Return which policies passed."""
    failed = {reported.rule.name for reported in answer.findings}
    passed = enabled - failed - answer.not_applicable.keys()
    return PolicySummary(urn, tuple(sorted(passed)), tuple(sorted(failed)), answer.not_applicable)


def coverage(resources: Iterable[Resource], configuration: Configuration) -> dict[str, str]:
    """Return what looked at each resource: a control, a policy on tags alone, or none."""
    by_type: dict[str, Coverage] = defaultdict(lambda: "none")
    rules: tuple[Rule, ...] = (*configuration.resource_rules, *configuration.stack_rules)
    for rule in sorted(rules, key=lambda rule: rule.coverage == "control"):
        if rule.coverage != "none":
            by_type.update(dict.fromkeys(rule.types, rule.coverage))
    closeness: dict[str, str] = {}
    for resource in with_embedded(resources):
        if resource.provider is None or resource.type.startswith(OWN_PACKAGE):
            continue
        urn, looked = resource.declared.urn, by_type[resource.type]
        if closeness.get(urn) != "control" and (urn not in closeness or looked != "none"):
            closeness[urn] = looked
    return closeness


def properties_of(fields: Mapping[str, object]) -> LazyMapping[Value]:
    """Return the properties of a resource of a state."""
    return LazyMapping(fields, lambda name: decode(without_engines(fields[name])))


def without_engines(value: object, depth: int = 0) -> object:
    """Return a value without what bridges add to the objects in it."""
    if depth > MAXIMUM_DEPTH:
        return value
    if isinstance(value, dict):
        given = cast("dict[str, object]", value)
        return {key: without_engines(item, depth + 1) for key, item in given.items() if key != DEFAULTS}
    if isinstance(value, list):
        return [without_engines(item, depth + 1) for item in cast("list[object]", value)]
    return value


def providers_of(records: Iterable[Mapping[str, object]]) -> dict[str, Provider]:
    """Return the providers of a state by their URNs."""
    return {
        str(one.get("urn")): Provider(str(one.get("urn")), properties_of(fields(one.get("inputs"))))
        for one in records
        if str(one.get("type")).startswith(PROVIDERS)
    }


def resource_of(one: Mapping[str, object], providers: dict[str, Provider]) -> Resource:
    """Make a resource of its record, with its inputs; a custom one has a provider even if it was lost."""
    urn = str(one.get("urn"))
    reference = str(one.get("provider") or "").rpartition("::")[0]
    provider = None
    if reference or one.get("custom") is True:
        provider = providers.setdefault(reference, Provider(reference))
    dependencies = fields(one.get("propertyDependencies"))
    return Resource(
        urn,
        str(one.get("type")),
        urn.split("::", 3)[-1],
        properties_of(own(one.get("inputs"))),
        provider,
        str(one.get("parent") or ""),
        {name: tuple(cast("list[str]", urns)) for name, urns in dependencies.items() if urns},
    )


def fields(value: object) -> dict[str, object]:
    """Return an object's fields; none when it is no object."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def own(value: object) -> dict[str, object]:
    """Return an object's fields but those of the engine."""
    return {name: item for name, item in fields(value).items() if not name.startswith(ENGINES)}
