"""SNS topics: who may publish to them, by their policies and those of their keys, and who hears it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from tap_guardrails.aws import CHAT, KEY, SUBSCRIPTION, TOPIC, TOPIC_POLICY
from tap_guardrails.aws.policy_documents import covers, document, one_or_many, texts
from tap_guardrails.model import Known, PropertyRef, Resource, ResourceType, Stack, Unknown, refs_at
from tap_guardrails.model.property_value import EACH
from tap_guardrails.model.values import any_of, has_unknown, record

SOURCE_ARN: Final = "aws:sourcearn"
MATCHING: Final = frozenset({"arnequals", "arnlike", "stringequals", "stringlike", "stringequalsignorecase"})
"""Operators of conditions that a value has to match for the statement to hold."""

OF_NO_SERVICE: Final = frozenset(
    {
        "aws:multifactorauthpresent", "aws:principalorgid", "aws:principalorgpaths", "aws:sourceip",
        "aws:sourcevpc", "aws:sourcevpce", "aws:username", "aws:vpcsourceip",
    }
)  # fmt: skip
"""Keys that the request of a service by its own principal does not have, so that asking for them refuses it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

ARN_PARTS: Final = 6


@record
class Caller:
    """A service that acts for a resource of its own.

    Attributes:
        service: Its principal, such as `cloudwatch.amazonaws.com`.
        region: The resource's region, empty while it is not known.
        resource: The last part of its ARN; None while it is not known.
    """

    service: str
    namespace: str
    region: str
    resource: str | None


def admits(
    policy: PropertyRef, caller: Caller, actions: tuple[str, ...], topic_arn: str | None
) -> bool | None:
    """Return whether a policy lets a service do all of some actions; None while that is undecided.

    Conditions on another resource than the service acts for, or on what no service sends, do not hold; all
    others are taken to.

    Args:
        policy: The policy, as a text or an object.
        caller: The service, and what it acts for.
        actions: What it has to do.
        topic_arn: The ARN of what the policy protects; None while it is not known.
    """
    statements = one_or_many(document(policy).at("Statement"))
    if statements.unknown:
        return None
    if not isinstance(statements, Known):
        return False
    if has_unknown(document(policy).value, or_opaque=True):
        answers = [allows(one, caller, actions, topic_arn) for one in statements.value]
        return True if True in answers else None
    allowed = {
        action
        for action in actions
        for one in statements.value
        if allows(one, caller, (action,), topic_arn) is True
    }
    denied = any(denies(one, caller, action, topic_arn) for one in statements.value for action in actions)
    return allowed == set(actions) and not denied


def allows(statement: PropertyRef, caller: Caller, actions: tuple[str, ...], topic_arn: str | None) -> bool:
    """Tell whether a statement allows a service all of some actions."""
    return statement.at("Effect").text().value == "Allow" and all(
        concerns(statement, caller, action, topic_arn) for action in actions
    )


def denies(statement: PropertyRef, caller: Caller, action: str, topic_arn: str | None) -> bool:
    """Tell whether a statement denies a service an action under no condition."""
    unconditional = statement.at("Condition").entries().absent
    denied = statement.at("Effect").text().value == "Deny"
    return denied and unconditional and concerns(statement, caller, action, topic_arn)


def concerns(statement: PropertyRef, caller: Caller, action: str, topic_arn: str | None) -> bool:
    """Tell whether a statement is about a service, an action, a target and what the service acts for."""
    if not names_principal(statement, caller.service):
        return False
    included = [text.lower() for text in texts(statement.at("Action"))]
    excluded = [text.lower() for text in texts(statement.at("NotAction"))]
    acts = any(covers(pattern, action.lower()) for pattern in included) or (
        bool(excluded) and not any(covers(pattern, action.lower()) for pattern in excluded)
    )
    resources = texts(statement.at("Resource"))
    here = topic_arn is None or not resources or any(covers(pattern, topic_arn) for pattern in resources)
    return acts and here and source_matches(statement.at("Condition"), caller)


def names_principal(statement: PropertyRef, service: str) -> bool:
    """Tell whether a statement's principal is a service, or everybody."""
    if not statement.at("NotPrincipal").entries().absent:
        return service not in texts(statement.at("NotPrincipal", "Service"))
    principal = statement.at("Principal")
    if isinstance(principal.value, str):
        return principal.value == "*"
    return "*" in texts(principal.at("AWS")) or any(
        named in {service, "*"} for named in texts(principal.at("Service"))
    )


def source_matches(conditions: PropertyRef, caller: Caller) -> bool:
    """Tell whether the conditions let in what the service acts for, as far as its requests are known."""
    operators = conditions.entries()
    for operator, fields in (operators.value or {}).items():
        quantifier, _, asked = operator.lower().rpartition(":")
        condition = asked.removesuffix("ifexists")
        without_key = condition != asked or quantifier == "forallvalues" or "not" in condition
        for key, ref in (fields.entries().value or {}).items():
            name, patterns = key.lower(), texts(ref)
            if name in OF_NO_SERVICE and not without_key and (condition != "null" or patterns == ["false"]):
                return False
            if (condition, name, patterns) == ("bool", "aws:securetransport", ["false"]):
                return False
            named = condition in MATCHING and name == SOURCE_ARN and bool(patterns)
            if named and not any(is_source(pattern, caller) for pattern in patterns):
                return False
    return True


def is_source(pattern: str, caller: Caller) -> bool:
    """Tell whether a pattern takes in the ARN of what a service acts for, in whichever account that is."""
    parts = pattern.split(":", ARN_PARTS - 1)
    if len(parts) < ARN_PARTS:
        return "*" in pattern
    _, _, service, region, _, resource = parts
    return (
        covers(service, caller.namespace)
        and (not caller.region or covers(region, caller.region))
        and (caller.resource is None or covers(resource, caller.resource))
    )


LONGEST_ENDPOINT: Final = 2048
"""Characters that SNS takes: https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html"""

TOPIC_ARN: Final = re.compile(r"arn:[^:]+:sns:[^:]*:[^:]*:(?P<name>[^:]+)")
RESERVED_DOMAIN: Final = re.compile(
    r"(.*[@./])?(example\.(com|net|org)|([^@/]+\.)?(example|invalid|test|localhost))(:\d+)?(/.*)?",
    re.IGNORECASE,
)
"""Domains that belong to no one: https://www.rfc-editor.org/rfc/rfc2606 and rfc6761."""

ALARM_FIELDS: Final = frozenset(
    {
        "AlarmName", "AlarmDescription", "AWSAccountId", "AlarmConfigurationUpdatedTimestamp",
        "NewStateValue", "NewStateReason", "StateChangeTime", "Region", "AlarmArn", "OldStateValue",
        "OKActions", "AlarmActions", "InsufficientDataActions", "Trigger",
    }
)  # fmt: skip
"""The fields of what CloudWatch publishes of an alarm.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
"""


def topic_name(arn: str) -> str | None:
    """Take a topic's name out of its ARN; None when it is of something else."""
    match = TOPIC_ARN.fullmatch(arn)
    return match["name"] if match else None


def own_policies(topic: Resource, stack: Stack) -> list[PropertyRef]:
    """Return the policies that the stack sets on a topic, in the topic itself or beside it."""
    inline = topic.as_set(topic.at("policy"))
    beside = [TOPIC_POLICY.at(policy, "policy") for policy in naming(topic, TOPIC_POLICY, "arn", stack)]
    return beside or ([inline] if topic.type == TOPIC.types[0] and inline.value is not None else [])


def is_heard(topic: Resource, stack: Stack, *, reserved_domains: bool) -> bool | None:
    """Return whether someone is subscribed to a topic in the stack; None while that is undecided."""
    inline = topic.at("subscription").items()
    endpoints = [one.at("endpoint") for one in inline.value] if isinstance(inline, Known) else []
    filtered = [(one, lets_alarms_through(one)) for one in naming(topic, SUBSCRIPTION, "topic", stack)]
    endpoints += [subscription.at("endpoint") for subscription, passes in filtered if passes]
    answers: list[bool | None] = [None for _, passes in filtered if passes is None]
    answers += [is_someone(endpoint, reserved_domains=reserved_domains) for endpoint in endpoints]
    answers += [True for _ in naming(topic, CHAT, "snsTopicArns", stack)]
    return any_of(answers)


def lets_alarms_through(subscription: Resource) -> bool | None:
    """Return whether a subscription's filter may let alarms through; None while that is undecided.

    What CloudWatch publishes has no attributes, and its body says `NewStateValue`:
    https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html
    """
    fields = document(SUBSCRIPTION.at(subscription, "filterPolicy")).entries()
    filtered = subscription.at("filterPolicyScope").text()
    if fields.unknown or (filtered.unknown and fields.value):
        return None
    in_body = filtered.value == "MessageBody"
    return all(may_match(name, one, in_body=in_body) for name, one in (fields.value or {}).items())


def may_match(name: str, conditions: PropertyRef, *, in_body: bool) -> bool:
    """Tell whether an alarm's message may meet the conditions that a filter has for one field."""
    listed = one_or_many(conditions).value or []
    if name == "$or":
        return True
    if not in_body or name not in ALARM_FIELDS:
        return any(one.at("exists").boolean().value is False for one in listed)
    literals = [text for one in listed if isinstance(text := one.value, str)]
    return name != "NewStateValue" or len(literals) < len(listed) or "ALARM" in literals


def is_someone(endpoint: PropertyRef, *, reserved_domains: bool) -> bool | None:
    """Return whether what is subscribed can hear; None while that is undecided."""
    match endpoint.text():
        case Known(address):
            return reserved_domains or RESERVED_DOMAIN.fullmatch(address[:LONGEST_ENDPOINT]) is None
        case Unknown():
            return True if reserved_domains else None
        case _:
            return False


def naming(topic: Resource, resource_type: ResourceType, prop: str, stack: Stack) -> Sequence[Resource]:
    """Return the resources of a type that name a topic, or may, by a property of theirs, perhaps a list."""

    def index(one: Stack) -> Mapping[Resource, Sequence[Resource]]:
        indexed: dict[Resource, list[Resource]] = defaultdict(list)
        for owner in one.of(*resource_type.types):
            name = resource_type.property_aliases[owner.type].get(prop, prop)
            relations = [
                one.resolve_reference(owner, ref, TOPIC, topic_name) for ref in refs_at(owner, [name + EACH])
            ]
            for named in dict.fromkeys(
                each for relation in relations for each in (*relation.certain, *relation.possible)
            ):
                indexed[named].append(owner)
        return indexed

    return stack.memoized(index, (naming, resource_type, prop)).get(topic, ())


KEY_POLICY: Final = "aws:kms/keyPolicy:KeyPolicy"
ALIASES: Final = ("aws:kms/alias:Alias", "aws-native:kms:Alias")


def key_policies(key: Resource, stack: Stack) -> list[PropertyRef]:
    """Return the policies that the stack sets on a key, in the key itself or beside it."""
    inline = KEY.at(key, "policy")

    def beside(one: Stack) -> Mapping[Resource, Sequence[PropertyRef]]:
        policies: dict[Resource, list[PropertyRef]] = defaultdict(list)
        for policy in one.of(KEY_POLICY):
            for named in keys_of(policy, policy.at("keyId"), one):
                policies[named].append(policy.at("policy"))
        return policies

    own = [inline] if key.as_set(inline).value is not None else []
    return [*own, *stack.memoized(beside, key_policies).get(key, ())]


def keys_of(owner: Resource, ref: PropertyRef, stack: Stack) -> tuple[Resource, ...]:
    """Return the key of the stack that a property certainly names."""
    match ref.text():
        case Known(value):
            alias = value[value.index("alias/") :] if "alias/" in value else ""
            targets = [one.at("targetKeyId") for one in by_text(stack, ALIASES, ("name",)).get(alias, ())]
            if targets:
                one = len(targets) == 1 and "alias/" not in str(targets[0].value)
                return keys_of(next(stack.of(*ALIASES)), targets[0], stack) if one else ()
            keys = by_text(stack, KEY.types, ("arn", "keyId", "id"))
            texts = (value, value.rpartition("key/")[2])
            return tuple(dict.fromkeys(key for text in texts for key in keys.get(text, ())))
        case Unknown():
            candidates = stack.dependencies_of(owner, ref.top, (*KEY.types, *ALIASES))
            keys = tuple(one for one in candidates if one.type in KEY.types)
            return keys if len(candidates) == 1 else ()
        case _:
            return ()


def by_text(stack: Stack, types: tuple[str, ...], names: tuple[str, ...]) -> Mapping[str, Sequence[Resource]]:
    """Return the resources of some types by the texts that any of some properties is known to have."""

    def index(one: Stack) -> Mapping[str, Sequence[Resource]]:
        indexed: dict[str, list[Resource]] = defaultdict(list)
        for resource in one.of(*types):
            texts = (resource.at(name).text() for name in names)
            for text in dict.fromkeys(prop.value for prop in texts if isinstance(prop, Known)):
                indexed[text].append(resource)
        return indexed

    return stack.memoized(index, (by_text, types, names))
