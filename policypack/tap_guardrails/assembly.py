"""From the folder of rules to the policies of the pack.

A rule says what has to hold. What a policy pack needs besides — genuine pulumi-policy objects, levels,
framework names, tags — is put to it here, so that a new rule is one file and nothing else.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final, TypeAlias, TypedDict

from pulumi_policy import (
    EnforcementLevel,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    ResourceValidationPolicy,
    StackValidationPolicy,
)
from pulumi_policy import Severity as PolicySeverity

from tap_guardrails.levels import level_of
from tap_guardrails.model import ANY_TYPE, Control, ResourceRule, Rule, StackRule
from tap_guardrails.model.record import record

PulumiPolicy: TypeAlias = ResourceValidationPolicy | StackValidationPolicy

RULES_FOLDER: Final = Path(__file__).with_name("rules")


@record
class Framework:
    """A published set of requirements.

    Attributes:
        name: Its full name.
        version: The edition that the mappings are taken from.
        tag: What its controls' tags begin with.
    """

    name: str
    version: str
    tag: str


MOST_SERVICES: Final = 40
"""Services from which on a policy is of no service in particular, and its tags name none."""

FRAMEWORKS: Final = {
    "FSBP": Framework("AWS Foundational Security Best Practices", "1.0.0", "aws-fsbp"),
    "CIS": Framework("CIS AWS Foundations Benchmark", "3.0.0", "cis-aws-v3.0.0"),
    "NIST": Framework("NIST SP 800-53", "Revision 5", "nist-800-53-r5"),
    "PCI": Framework("PCI DSS", "4.0.1", "pci-dss-v4.0.1"),
}


@record
class Policy:
    """A rule together with the pulumi-policy object made of it.

    Attributes:
        rule: The rule.
        policy: What pulumi-policy knows of the rule; the pack's servicer runs it.
        level: The level unless an operator says otherwise.
    """

    rule: Rule
    policy: PulumiPolicy
    level: EnforcementLevel


def find_rules(folder: Path = RULES_FOLDER, package: str = "tap_guardrails.rules") -> tuple[Rule, ...]:
    """Import every rule of a folder: one a file, named like the file.

    Raises:
        TypeError: A file without a rule, or one whose rule has another name.
    """
    names = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    return tuple(find_rule(name, importlib.import_module(f"{package}.{name}")) for name in names)


def find_rule(file_name: str, module: object) -> Rule:
    """Return a module's rule."""
    rule = getattr(module, "RULE", None)
    if isinstance(rule, (ResourceRule, StackRule)) and rule.name == file_name.replace("_", "-"):
        return rule
    raise TypeError(f"rules/{file_name}.py must define RULE, named `{file_name.replace('_', '-')}`")


def policies() -> tuple[Policy, ...]:
    """Make the policies of the pack, of every rule in the folder."""
    return tuple(Policy(rule, pulumi_policy(rule), level_of(rule.name)) for rule in find_rules())


class Details(TypedDict):
    """What both sorts of policies are made with, besides their validation."""

    name: str
    description: str
    enforcement_level: EnforcementLevel
    config_schema: PolicyConfigSchema
    display_name: str
    severity: PolicySeverity
    framework: PolicyComplianceFramework | None
    tags: list[str]
    remediation_steps: str
    url: str


def pulumi_policy(rule: Rule) -> PulumiPolicy:
    """Return the pulumi-policy object of a rule."""
    if isinstance(rule, ResourceRule):
        return ResourceValidationPolicy(validate=refuse, **details(rule))
    return StackValidationPolicy(validate=refuse, **details(rule))


def refuse(*_: object) -> None:
    """Raise: rules run in the pack's own servicer, so that under another one nothing passes unseen.

    Raises:
        NotImplementedError: Always.
    """
    raise NotImplementedError("this pack's policies run in the servicer of `tap_guardrails.serving`")


def details(rule: Rule) -> Details:
    """Return what a policy says of its rule."""
    return Details(
        name=rule.name,
        description=rule.description,
        enforcement_level=level_of(rule.name),
        config_schema=PolicyConfigSchema({setting.name: setting.schema() for setting in rule.all_settings}),
        display_name=rule.title,
        severity=PolicySeverity(rule.severity.value),
        framework=compliance_framework(rule.controls),
        tags=tags(rule),
        remediation_steps=rule.fix,
        url=rule.url,
    )


def compliance_framework(controls: tuple[Control, ...]) -> PolicyComplianceFramework | None:
    """Name the first control in the field that holds one; the tags carry them all."""
    if not controls:
        return None
    first, framework = controls[0], FRAMEWORKS[controls[0].framework]
    return PolicyComplianceFramework(framework.name, framework.version, first.identifier, first.source)


def tags(rule: Rule) -> list[str]:
    """Return a policy's tags: the services that it judges, unless it judges most, and its controls."""
    services = {token.split(":")[1].split("/")[0] for token in rule.types if token != ANY_TYPE}
    if len(services) > MOST_SERVICES:
        services.clear()
    controls = [f"{FRAMEWORKS[control.framework].tag}:{control.identifier}" for control in rule.controls]
    return ["aws", *sorted(services), *controls]
