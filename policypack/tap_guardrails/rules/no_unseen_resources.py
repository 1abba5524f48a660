"""Everything that a stack makes can be looked into, or the operator has allowed it.

A stack makes resources that no policy evaluates where something else declares them: a template that cannot be
read, a shell command, a provider whose code stands in the program, a Terraform module. It does so too where
AWS's resource comes under a token that no policy reads, although one reads the same resource under another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Final

from tap_guardrails.aws import STACK_SET, bare_name, twin
from tap_guardrails.aws.embedded import CARRIERS, STAND_IN, contents
from tap_guardrails.aws.policy_documents import covers
from tap_guardrails.model import (
    ANY_TYPE,
    Finding,
    Outcomes,
    Resource,
    Settings,
    Stack,
    StackRule,
    StringList,
    Verdict,
)

UNSEEN: Final = {
    "aws:cloudformation/*": "CloudFormation makes resources that the program does not declare.",
    "aws-native:cloudformation:*": "CloudFormation makes resources that the program does not declare.",
    "aws-native:serverless:*": "The Serverless Application Model makes resources that it does not list.",
    "aws:servicecatalog/provisionedProduct:*": "Service Catalog makes the resources of a product.",
    "aws-native:servicecatalog:CloudFormationProvisionedProduct": "Service Catalog makes the product.",
    "aws:serverlessrepository/*": "The application's template makes resources that no one sees.",
    "aws:index/*": "A Terraform provider makes AWS's resources under other names.",
    "awscc:*": "A Terraform provider makes AWS's resources under other names.",
    "terraform-provider:*": "A Terraform provider makes resources that no policy knows.",
    "terraform-module:*": "A Terraform module makes resources that the program does not declare.",
    "*:index:Module": "A Terraform module makes resources that the program does not declare.",
    "*:index:ModuleState": "A Terraform module makes resources that the program does not declare.",
    "*:tf:*": "A Terraform module makes it, under a name that no policy knows.",
    "aws:lambda/invocation:*": "The function that it calls as it is deployed can make anything.",
    "aws:ssm/association:*": "The document that it runs can make anything.",
    "aws-native:ssm:Association": "The document that it runs can make anything.",
    "aws:ssm/maintenanceWindowTask:*": "The document or function that it runs can make anything.",
    "aws-native:ssm:MaintenanceWindowTask": "The document or function that it runs can make anything.",
    "command:*": "A command can make anything.",
    "pulumi-nodejs:dynamic*": "A dynamic provider runs code of the program, which can make anything.",
    "pulumi-python:dynamic*": "A dynamic provider runs code of the program, which can make anything.",
}
"""Patterns of types, each with why no policy sees what is made."""

INSTANCES: Final = (
    "aws:cloudformation/stackInstances:StackInstances",
    "aws:cloudformation/stackSetInstance:StackSetInstance",
)

TERRAFORM: Final = frozenset({"terraform-module", "terraform-provider"})
URL: Final = "pluginDownloadURL"
"""What the engine keeps of the option of that name among a provider's own inputs."""

PROVIDERS: Final = "pulumi:providers:"
OWN_PACKAGE: Final = "pulumi:"

LEFT_TO_OTHERS: Final = frozenset(
    {
        "aws:cloudwatch/eventRule:EventRule", "aws:iam/group:Group", "aws:iam/user:User",
        "aws:secretsmanager/secret:Secret",
    }
)  # fmt: skip
"""Types with nothing that a policy asks for: what aws-native's twins carry inside (targets, policies, values)
are resources of their own here, and policies read those."""

SEEN: Final = "a component or resource whose provider tells what it makes"
INSTALL: Final = (
    "Install the package's provider (`pulumi plugin install resource <package>`), so that what it makes is "
    "declared; or have the operator allow the type in `allow`."
)

DECLARED: Final = "resources of aws's or aws-native's types, each declared by itself"


def check(resource: Resource, stack: Stack, settings: Settings) -> Outcomes:
    """Evaluate a resource by whether a policy can see what it makes."""
    allowed = settings.strings("allow")
    declared = resource.declared
    if any(covers(pattern, one.type) for one in {resource, declared} for pattern in allowed):
        return
    if resource.type.startswith(OWN_PACKAGE):
        return
    mark = resource.at(STAND_IN)
    if not mark.text().absent and not unseen(resource):
        told = isinstance(mark.value, str) and not mark.hidden
        reason = str(mark.value) if told else "It is marked as one that no one can look into."
        yield unseen_finding(resource, reason, SEEN, INSTALL, Verdict.UNDECIDED)
    elif resource.provider is None:
        yield from component(resource, stack)
    elif resource.type in CARRIERS and not is_from_elsewhere(resource):
        yield from contents(resource).gaps
    elif resource.type in INSTANCES and in_stack(resource, stack):
        return
    elif reason := unseen(resource):
        yield unseen_finding(resource, reason)
    elif resource.type in stack.types_read or resource.type in LEFT_TO_OTHERS:
        return
    elif known := twin(resource.type, stack.types_read):
        yield unseen_finding(resource, f"No policy reads this type; the policies read {known}.", f"`{known}`")


def in_stack(instances: Resource, stack: Stack) -> bool:
    """Tell whether the stack set that is deployed is one of the stack's, and so looked into there."""
    return bool(stack.resolve_reference(instances, instances.at("stackSetName"), STACK_SET).certain)


@cache
def pattern_of(resource_type: str) -> str:
    """Return the pattern of `UNSEEN` that a type matches, or nothing."""
    return next((pattern for pattern in UNSEEN if covers(pattern, resource_type)), "")


def unseen(resource: Resource) -> str:
    """Say why no one can look into a resource; nothing when one can."""
    if is_from_elsewhere(resource):
        return "The program names where its provider comes from, so that it may be any other."
    pattern = pattern_of(resource.type)
    if pattern:
        return UNSEEN[pattern]
    plugin = resource.provider.at("__internal", "name").value if resource.provider else None
    return "A Terraform provider or module makes it." if plugin in TERRAFORM else ""


def is_from_elsewhere(resource: Resource) -> bool:
    """Tell whether the program names where a provider of AWS's comes from, which may then be any other."""
    if resource.provider is None or not bare_name(resource.type):
        return False
    return not resource.provider.at("__internal", URL).text().absent


def component(resource: Resource, stack: Stack) -> Iterator[Finding]:
    """Evaluate a component: one that a provider of its package makes has to have registered its children."""
    if not resource.is_a((resource.type,)):
        reason = "A component bears the type of an AWS resource, which no provider makes."
        yield unseen_finding(
            resource, reason, "a type of the component's own", "Give the component another type."
        )
    elif any(stack.of(PROVIDERS + resource.type.partition(":")[0])) and not stack.children(resource.urn):
        yield unseen_finding(
            resource,
            "The component comes from another package, and none of its resources is registered.",
            "a component whose resources are registered as its children",
            "Make the component register its resources with itself as their parent.",
            Verdict.UNDECIDED,
        )


def unseen_finding(
    resource: Resource,
    problem: str,
    required: str = DECLARED,
    fix: str = "",
    verdict: Verdict = Verdict.VIOLATION,
) -> Finding:
    """Make a finding on a resource's type."""
    path = resource.embedding.path.removesuffix(".Properties") + ".Type" if resource.embedding else "type"
    return Finding(verdict, problem, path, json.dumps(resource.type), required, fix)


RULE = StackRule(
    name="no-unseen-resources",
    title="Nothing is deployed unseen",
    description="Everything that the stack makes is declared where policies can read it, or is allowed.",
    why="What no policy reads passes every policy, whatever it is.",
    fix="Declare the resources in the program, one by one; or have the operator allow the type in `allow`.",
    severity="high",
    url="https://docs.aws.amazon.com/wellarchitected/latest/framework/sec_securely_operate_automate_security_controls.html",
    types=(ANY_TYPE,),
    settings=(
        StringList(
            "allow",
            (),
            "Types of resources that may be deployed unseen, as patterns in which `*` stands for any "
            "characters: `command:local:*`.",
        ),
    ),
    coverage="none",
    check=check,
)
