"""Rules under pulumi-policy's own servicer: the oracle for the pack's servicer, which works without this.

What is lost on that way:

- pulumi-policy takes the mark off secrets, so no found value is shown at all, and a rule that asks for the
  mark finds none;
- it reports everything at one level, so `onUnknown: warn` does not soften;
- waivers are not applied;
- what was asked for is not known when the outputs come;
- nothing is remediated at level `remediate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from pulumi_policy import (
    EnforcementLevel,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    ResourceValidationPolicy,
    StackValidationPolicy,
)
from pulumi_policy import Severity as PolicySeverity

from tap_guardrails.assembly import FRAMEWORKS, find_rules, tags_of
from tap_guardrails.aws.embedded import with_embedded
from tap_guardrails.evaluation import evaluate_stack, evaluated
from tap_guardrails.model import (
    Provider,
    Resource,
    ResourceRule,
    Rule,
    Secret,
    Settings,
    Stack,
    StackRule,
    Value,
    decode,
)
from tap_guardrails.model.rule import message, types_read

if TYPE_CHECKING:
    from pulumi_policy import (
        PolicyProviderResource,
        PolicyResource,
        ReportViolation,
        ResourceValidationArgs,
        StackValidationArgs,
    )

PulumiPolicy = ResourceValidationPolicy | StackValidationPolicy

PROXY_TARGET = "__target"
"""What a proxy of pulumi-policy answers with what it wraps, and does not raise on."""


def runnable_policies() -> list[PulumiPolicy]:
    """Return the pack's policies as objects that pulumi-policy's own servicer can run."""
    return [runnable_policy(rule) for rule in find_rules()]


def runnable_policy(rule: Rule) -> PulumiPolicy:
    if isinstance(rule, ResourceRule):
        return ResourceValidationPolicy(validate=resource_validation(rule), **details(rule))
    return StackValidationPolicy(validate=stack_validation(rule), **details(rule))


def details(rule: Rule) -> dict[str, Any]:
    """What both sorts of policies are made with, besides their validation."""
    framework = None
    if rule.controls:
        first, published = rule.answered[0], FRAMEWORKS[rule.answered[0].framework]
        framework = PolicyComplianceFramework(
            published.name, published.version, first.identifier, first.source
        )
    return {
        "name": rule.name,
        "description": rule.description,
        "enforcement_level": EnforcementLevel(rule.level),
        "config_schema": PolicyConfigSchema(
            {setting.name: setting.schema() for setting in rule.all_settings}
        ),
        "display_name": rule.title,
        "severity": PolicySeverity(rule.severity),
        "framework": framework,
        "tags": tags_of(rule),
        "remediation_steps": rule.fix,
        "url": rule.url,
    }


def resource_validation(rule: ResourceRule) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    """Make the validation of a resource policy."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        resource = Resource(
            args.urn, args.resource_type, args.name, unwrapped(args.props), provider_of(args.provider)
        )
        settings = Settings(rule.all_settings, args.get_config())
        reasons: list[str] = []
        for one in with_embedded([resource]):
            if one.is_a(rule.types):
                evaluation = evaluated(rule.check, one, settings)
                reasons.append(evaluation.reason)
                for finding in evaluation.findings:
                    report(message(rule, one, finding), args.urn)
        if all(reasons):
            args.not_applicable(reasons[-1] if reasons else f"Applies to {rule.types_shown}.")

    return validate


def stack_validation(rule: StackRule) -> Callable[[StackValidationArgs, ReportViolation], None]:
    """Make the validation of a stack policy."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        stack = Stack(
            tuple(with_embedded(resource_of(resource) for resource in args.resources)),
            types_read=types_read(find_rules()),
        )
        settings = Settings(rule.all_settings, args.get_config())
        evaluation = evaluate_stack(rule, stack, settings)
        for resource, finding in evaluation.findings:
            report(message(rule, resource, finding), resource.declared.urn)
        if evaluation.reason and not evaluation.findings:
            args.not_applicable(evaluation.reason)

    return validate


def resource_of(given: PolicyResource) -> Resource:
    """Make a resource of the pack's model."""
    return Resource(
        given.urn,
        given.resource_type,
        given.name,
        unwrapped(given.props),
        provider_of(given.provider),
        given.parent.urn if given.parent else "",
        {name: tuple(one.urn for one in many) for name, many in given.property_dependencies.items()},
    )


def provider_of(given: PolicyProviderResource | None) -> Provider | None:
    """Make a provider of the pack's model."""
    return Provider(given.urn, unwrapped(given.props)) if given else None


def unwrapped(properties: Mapping[str, object]) -> dict[str, Value]:
    """Take the proxies off a property tree, and hide all of it, since some of it may be secret."""
    tree = cast("Mapping[str, object]", bare(properties))
    return {name: Secret(decode(value), marked=False) for name, value in tree.items()}


def bare(value: object) -> object:
    """Take the proxies off a value."""
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, object]", value)
        fields = fields if isinstance(fields, dict) else cast("Mapping[str, object]", fields[PROXY_TARGET])
        return {name: bare(item) for name, item in fields.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        items = cast("Sequence[object]", value)
        proxy = cast("Mapping[str, Sequence[object]]", items)
        return [bare(item) for item in (items if isinstance(items, list) else proxy[PROXY_TARGET])]
    return value
