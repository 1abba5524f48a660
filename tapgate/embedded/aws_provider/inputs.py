"""Turns what a program says of a resource into the inputs that pulumi-aws works with: its Check.

What the program does not name gets a name, as in pulumi-aws.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from tapgate.embedded.aws_provider.checking import Failure, check
from tapgate.embedded.aws_provider.limits import check_limits
from tapgate.embedded.aws_provider.schema_store import schema_of
from tapgate.embedded.aws_provider.sdk_source import MANAGED
from tapgate.embedded.aws_provider.settings import Settings, merge_tags
from tapgate.embedded.aws_provider.types import describe

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.resource_schema import ResourceSchema
    from tapgate.embedded.aws_provider.values import Properties, Value

_HEX = "0123456789abcdef"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Rule:
    """How one type's name is made: the resource's name in the program, a separator and random characters.

    Attributes:
        property: The input that is named, in Pulumi's casing.
        length: How long a name may get, in characters, before prefix and suffix; 0 for no limit.
        separator: Between the resource's name and the random characters.
        random: How many random characters; 0 for the resource's name alone.
        charset: What the random characters are taken from.
        lower: Whether the resource's name is made lower case.
        prefix: Put in front, unless the name has it already.
        suffix: Put behind when the boolean input `suffix_when` is true.
        suffix_when: See `suffix`.
        named: Whether pulumi-aws counts it as a name: a resource whose own name is in the program is deleted
            before its replacement is created.
    """

    property: str = "name"
    length: int = 255
    separator: str = "-"
    random: int = 7
    charset: str = _HEX
    lower: bool = False
    prefix: str = ""
    suffix: str = ""
    suffix_when: str = ""
    named: bool = True


Mode = Literal["random", "propose", "enforce", "disable"]


class AutonamingError(ValueError):
    """No name can be made; the message says why."""


_UNDERSCORED = Rule(length=0, separator="_", random=8, charset=_LETTERS, named=False)

# Source: provider/resource_overrides.go of pulumi-aws 7; every other string input called `name` has Rule().
_RULES: dict[str, Rule | None] = {
    "aws:appsync/dataSource:DataSource": Rule(separator="_", named=False),
    "aws:appsync/function:Function": Rule(separator="_", named=False),
    "aws:athena/database:Database": Rule(separator="_", named=False),
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": Rule(separator="_"),
    "aws:cloudwatch/eventRule:EventRule": Rule(length=64),
    "aws:cloudwatch/eventTarget:EventTarget": Rule("targetId"),
    "aws:codedeploy/deploymentConfig:DeploymentConfig": Rule(
        "deploymentConfigName", length=100, separator="_", named=False
    ),
    "aws:directoryservice/directory:Directory": None,
    "aws:ec2/keyPair:KeyPair": Rule("keyName"),
    "aws:efs/fileSystem:FileSystem": Rule("creationToken"),
    "aws:eks/fargateProfile:FargateProfile": Rule("fargateProfileName"),
    "aws:eks/nodeGroup:NodeGroup": Rule("nodeGroupName"),
    "aws:elasticache/cluster:Cluster": Rule("clusterId", length=50, lower=True),
    "aws:elasticache/replicationGroup:ReplicationGroup": Rule("replicationGroupId", length=40, lower=True),
    "aws:elasticbeanstalk/environment:Environment": Rule(length=40),
    "aws:elasticsearch/domain:Domain": Rule("domainName", length=28, lower=True),
    "aws:glue/catalogDatabase:CatalogDatabase": replace(_UNDERSCORED, lower=True),
    "aws:glue/catalogTable:CatalogTable": replace(_UNDERSCORED, lower=True),
    "aws:iam/role:Role": Rule(length=64),
    "aws:iot/topicRule:TopicRule": Rule(length=0, separator="_", random=0),
    "aws:kms/alias:Alias": Rule(length=238, prefix="alias/"),
    "aws:lambda/function:Function": Rule(length=64),
    "aws:lambda/permission:Permission": Rule("statementId", length=100),
    "aws:lex/bot:Bot": _UNDERSCORED,
    "aws:lex/botAlias:BotAlias": _UNDERSCORED,
    "aws:lex/intent:Intent": _UNDERSCORED,
    "aws:lex/slotType:SlotType": _UNDERSCORED,
    "aws:mq/broker:Broker": Rule("brokerName", length=55),
    "aws:msk/cluster:Cluster": Rule("clusterName"),
    "aws:msk/serverlessCluster:ServerlessCluster": Rule("clusterName"),
    "aws:opensearch/domain:Domain": Rule("domainName"),
    "aws:rds/instance:Instance": Rule("identifier", separator=""),
    "aws:route53/record:Record": None,
    "aws:s3/bucket:Bucket": Rule("bucket", length=63, lower=True),
    "aws:s3/bucketObject:BucketObject": Rule("key", length=0, random=0, named=False),
    "aws:s3/bucketObjectv2:BucketObjectv2": Rule("key", length=0, random=0, named=False),
    "aws:s3/bucketV2:BucketV2": Rule("bucket", length=63, lower=True),
    "aws:sns/topic:Topic": Rule(length=80, suffix=".fifo", suffix_when="fifoTopic"),
    "aws:sqs/queue:Queue": Rule(length=80, suffix=".fifo", suffix_when="fifoQueue"),
}


def rule_for(schema: ResourceSchema) -> Rule | None:
    """Return how pulumi-aws names a type; None when it does not."""
    if schema.token in _RULES:
        return _RULES[schema.token]
    name = schema.inputs.get("name")
    if name is None or name.required or name.type.base != "string":
        return None
    return Rule()


def make_name(
    rule: Rule,
    resource: str,
    seed: bytes,
    inputs: Mapping[str, Value],
    mode: Mode = "random",
    proposed: str = "",
) -> str:
    """Make a name.

    Args:
        rule: The type's rule.
        resource: The resource's name in the program.
        seed: The engine's random seed: the same seed gives the same name.
        inputs: The resource's inputs.
        mode: `random` as pulumi-aws does by itself; the others as the project's `pulumi:autonaming` says.
        proposed: The name that the engine proposes or enforces.

    Raises:
        AutonamingError: The name would be too long, or automatic names are switched off.
    """
    if mode == "enforce":
        return proposed
    if mode == "disable":
        raise AutonamingError(
            "automatic naming is switched off (pulumi:autonaming) and the program gives no "
            f"`{rule.property}`. AWS needs one. Fix: set `{rule.property}`"
        )
    random = 0 if mode == "propose" else rule.random
    base = proposed if mode == "propose" else resource
    stem = (base.lower() if rule.lower else base) + (rule.separator if random else "")
    if rule.length and len(stem) + random > rule.length:
        raise AutonamingError(
            f"the automatic name `{stem}` with {random} random characters is longer than the "
            f"{rule.length} characters that AWS allows. Fix: give the resource a shorter name in the "
            f"program, or set `{rule.property}`"
        )
    name = stem + made_up(hashlib.sha256(seed + b"\0" + stem.encode()).hexdigest(), random, rule.charset)
    if rule.prefix and not name.startswith(rule.prefix):
        name = rule.prefix + name
    if rule.suffix and inputs.get(rule.suffix_when) is True:
        name += rule.suffix
    return name


def made_up(digest: str, count: int, charset: str) -> str:
    """Return some characters that stand for random ones; the same for the same digest."""
    number = int(digest, 16)
    characters: list[str] = []
    for _ in range(count):
        number, index = divmod(number, len(charset))
        characters.append(charset[index])
    return "".join(characters)


DEFAULTS = "__defaults"
"""The input that lists which inputs the program did not give: pulumi-aws's own convention."""

_WITH_POLICIES = "aws:iam/role:Role"


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
    mode: Mode = "random"
    proposed: str = ""
    secrets: frozenset[str] = frozenset()


def check_inputs(request: Request, config: Settings) -> tuple[Properties, list[Failure]]:
    """Check a resource, name it and fill in what pulumi-aws fills in.

    Returns:
        The inputs, and why they are refused; an empty list when they are not.
    """
    schema, description = schema_of(request.token), describe(request.token)
    inputs, failures = check(schema, request.news)
    if not failures:
        failures = check_limits(schema, inputs, description, request.olds, request.secrets)
    if "tags" in schema.inputs and "tagsAll" in schema.outputs:
        inputs["tagsAll"] = merge_tags(config, inputs.get("tags"))
    if "region" in schema.inputs:
        inputs.setdefault("region", config.region)
    filled: Properties = {}
    try:
        filled.update(_name(schema, request, inputs))
    except AutonamingError as error:
        failures.append(Failure("", f"{request.token}: {error}"))
    defaults = {name: MANAGED for name, prop in schema.inputs.items() if prop.managed}
    for property_name, value in {**defaults, **description.defaults}.items():
        if property_name not in inputs:
            filled[property_name] = value
    for property_name in filled.keys() & _reusable(request.olds):
        filled[property_name] = request.olds[property_name]
    return {**inputs, **filled, DEFAULTS: [*sorted(filled)]}, failures


def _name(schema: ResourceSchema, request: Request, inputs: Properties) -> Properties:
    if request.token == _WITH_POLICIES:
        _name_policies(request, inputs)
    rule = rule_for(schema)
    if rule is None or rule.property in inputs or f"{rule.property}Prefix" in inputs:
        return {}
    if rule.property in _reusable(request.olds):
        return {rule.property: request.olds[rule.property]}
    return {
        rule.property: make_name(rule, request.name, request.seed, inputs, request.mode, request.proposed)
    }


def _name_policies(request: Request, inputs: Properties) -> None:
    """Name a role's inline policies, the one nested thing that pulumi-aws names."""
    policies, olds = inputs.get("inlinePolicies"), request.olds.get("inlinePolicies")
    rule = Rule(length=128)
    for index, policy in enumerate(policies if isinstance(policies, list) else []):
        if isinstance(policy, dict) and "name" not in policy:
            old = olds[index] if isinstance(olds, list) and index < len(olds) else None
            kept = old.get("name") if isinstance(old, dict) and DEFAULTS in old else None
            seed = request.seed + str(index).encode()
            policy["name"] = kept or make_name(rule, request.name, seed, inputs)
            policy[DEFAULTS] = ["name"]


def _reusable(olds: Properties) -> set[str]:
    defaults = olds.get(DEFAULTS)
    if not isinstance(defaults, list):
        return set(olds)
    return {name for name in defaults if isinstance(name, str) and name in olds}
