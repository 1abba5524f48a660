"""Turns what a program says of a resource into the inputs that pulumi-aws works with: its Check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapgate.embedded.aws_provider import autonaming, settings
from tapgate.embedded.aws_provider.checking import Failure, check
from tapgate.embedded.aws_provider.limits import check_limits
from tapgate.embedded.aws_provider.schema_store import schema_of
from tapgate.embedded.aws_provider.types import describe

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.resource_schema import ResourceSchema
    from tapgate.embedded.aws_provider.values import Properties, Value

DEFAULTS = "__defaults"
"""The input that lists which inputs the program did not give: pulumi-aws's own convention."""

_WITH_POLICIES = frozenset({"aws:iam/role:Role"})
_MANAGED = "Managed by Pulumi"
# Source: provider/resource_overrides.go of pulumi-aws 7, the fields with managedByPulumi.
_DESCRIBED: dict[str, str] = {
    "aws:apigateway/apiKey:ApiKey": "description",
    "aws:appsync/apiKey:ApiKey": "description",
    "aws:docdb/subnetGroup:SubnetGroup": "description",
    "aws:ec2/securityGroup:SecurityGroup": "description",
    "aws:elasticache/parameterGroup:ParameterGroup": "description",
    "aws:elasticache/subnetGroup:SubnetGroup": "description",
    "aws:mediapackage/channel:Channel": "description",
    "aws:neptune/subnetGroup:SubnetGroup": "description",
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": "description",
    "aws:rds/optionGroup:OptionGroup": "optionGroupDescription",
    "aws:rds/parameterGroup:ParameterGroup": "description",
    "aws:rds/subnetGroup:SubnetGroup": "description",
    "aws:redshift/parameterGroup:ParameterGroup": "description",
    "aws:redshift/subnetGroup:SubnetGroup": "description",
    "aws:route53/zone:Zone": "comment",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One resource to check.

    Attributes:
        token: Its type.
        name: Its name in the program.
        news: What the program says.
        olds: Its inputs at the last deployment; empty when it is new.
        seed: The engine's random seed for it.
        mode: How automatic names are made.
        proposed: The name that the engine proposes or enforces.
        secrets: Inputs whose values no message shows.
    """

    token: str
    name: str
    news: Properties
    olds: Properties
    seed: bytes
    mode: autonaming.Mode = "random"
    proposed: str = ""
    secrets: frozenset[str] = frozenset()


def check_inputs(request: Request, config: settings.Settings) -> tuple[Properties, list[Failure]]:
    """Check a resource, name it and fill in what pulumi-aws fills in.

    Returns:
        The inputs, and why they are refused; an empty list when they are not.

    Raises:
        sdk_source.UnknownTypeError: pulumi_aws has no such type.
    """
    schema, description = schema_of(request.token), describe(request.token)
    inputs, failures = check(schema, request.news)
    if not failures:
        failures = check_limits(schema, inputs, description, request.olds, request.secrets)
    if "tags" in schema.inputs and "tagsAll" in schema.outputs:
        inputs["tagsAll"] = settings.merge_tags(config, inputs.get("tags"))
    if "region" in schema.inputs:
        inputs.setdefault("region", config.region)
    filled: Properties = {}
    try:
        filled.update(_name(schema, request, inputs))
    except autonaming.AutonamingError as error:
        failures.append(Failure("", f"{request.token}: {error}"))
    described = _DESCRIBED.get(request.token)
    if described is not None and described not in inputs:
        filled[described] = _MANAGED
    for property_name, value in description.defaults.items():
        if property_name not in inputs:
            filled[property_name] = value
    for property_name in filled.keys() & _reusable(request.olds):
        filled[property_name] = request.olds[property_name]
    defaults: list[Value] = [*sorted(filled)]
    return {**inputs, **filled, DEFAULTS: defaults}, failures


def _name(schema: ResourceSchema, request: Request, inputs: Properties) -> Properties:
    named = dict(_policy_names(request, inputs))
    rule = autonaming.rule_for(schema)
    if rule is None or rule.property in inputs or f"{rule.property}Prefix" in inputs:
        return named
    if rule.property in _reusable(request.olds):
        return {**named, rule.property: request.olds[rule.property]}
    name = autonaming.make_name(rule, request.name, request.seed, inputs, request.mode, request.proposed)
    return {**named, rule.property: name}


def _policy_names(request: Request, inputs: Properties) -> Properties:
    # A role's inline policies are the one nested thing that pulumi-aws names.
    policies = inputs.get("inlinePolicies")
    if request.token not in _WITH_POLICIES or not isinstance(policies, list):
        return {}
    olds = request.olds.get("inlinePolicies")
    rule = autonaming.Rule(length=128)
    for index, policy in enumerate(policies):
        if isinstance(policy, dict) and "name" not in policy:
            old = olds[index] if isinstance(olds, list) and index < len(olds) else None
            kept = old.get("name") if isinstance(old, dict) and DEFAULTS in old else None
            seed = request.seed + str(index).encode()
            policy["name"] = kept or autonaming.make_name(rule, request.name, seed, inputs)
            policy[DEFAULTS] = ["name"]
    return {}


def _reusable(olds: Properties) -> set[str]:
    defaults = olds.get(DEFAULTS)
    if not isinstance(defaults, list):
        return set(olds)
    return {name for name in defaults if isinstance(name, str) and name in olds}
