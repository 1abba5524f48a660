"""SNS topics: who may publish to them, and who hears what is published.

https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.resource_types import CHAT, SUBSCRIPTION, TOPIC, TOPIC_POLICY
from tap_guardrails.model import Known, Unknown, as_set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_guardrails.model import PropertyRef, Resource, Stack

TOPIC_ARN: Final = re.compile(r"arn:[^:]+:sns:[^:]*:[^:]*:(?P<name>[^:]+)")
RESERVED_DOMAIN: Final = re.compile(
    r"(.*[@./])?(example\.(com|net|org)|([^@/]+\.)?(example|invalid|test|localhost))(:\d+)?(/.*)?",
    re.IGNORECASE,
)
"""Domains that belong to nobody: https://www.rfc-editor.org/rfc/rfc2606 and rfc6761."""


def topic_name(arn: str) -> str | None:
    """Take a topic's name out of its ARN; None when it is of something else."""
    match = TOPIC_ARN.fullmatch(arn)
    return match["name"] if match else None


def own_policies(topic: Resource, stack: Stack) -> list[PropertyRef]:
    """Return the policies that the stack sets on a topic, in the topic itself or beside it."""
    inline = as_set(topic, topic.at("policy"))
    beside = [
        TOPIC_POLICY.at(policy, "policy")
        for policy in stack.of(*TOPIC_POLICY.types)
        if names_topic(policy, TOPIC_POLICY.at(policy, "arn"), topic, stack)
    ]
    return beside or ([inline] if topic.type == TOPIC.types[0] and inline.value is not None else [])


def is_heard(topic: Resource, stack: Stack, *, reserved_domains: bool) -> bool | None:
    """Return whether somebody is subscribed to a topic in the stack; None while that is undecided.

    Args:
        topic: The topic.
        stack: Its stack.
        reserved_domains: Whether an address in a domain that belongs to nobody is somebody.
    """
    inline = topic.at("subscription").items()
    endpoints = [one.at("endpoint") for one in inline.value] if isinstance(inline, Known) else []
    endpoints += [
        subscription.at("endpoint")
        for subscription in stack.of(*SUBSCRIPTION.types)
        if names_topic(subscription, SUBSCRIPTION.at(subscription, "topic"), topic, stack)
    ]
    answers = [is_somebody(endpoint, reserved_domains=reserved_domains) for endpoint in endpoints]
    answers += [
        True
        for chat in stack.of(*CHAT.types)
        for node in elements(chat.at("snsTopicArns"))
        if names_topic(chat, node, topic, stack)
    ]
    return True if True in answers else None if None in answers else False


def is_somebody(endpoint: PropertyRef, *, reserved_domains: bool) -> bool | None:
    """Return whether what is subscribed can hear; None while that is undecided."""
    match endpoint.text():
        case Known(address):
            return reserved_domains or RESERVED_DOMAIN.fullmatch(address) is None
        case Unknown():
            return True if reserved_domains else None
        case _:
            return False


def elements(node: PropertyRef) -> Iterator[PropertyRef]:
    """Go through a list, or give the list itself while it is unknown."""
    listed = node.items()
    if isinstance(listed, Known):
        yield from listed.value
    elif isinstance(listed, Unknown):
        yield node


def names_topic(owner: Resource, node: PropertyRef, topic: Resource, stack: Stack) -> bool:
    """Tell whether a property names a topic, or may."""
    for one in elements(node) if isinstance(node.value, list) else (node,):
        found = stack.resolve_reference(owner, one, TOPIC, topic_name)
        if topic in found.certain or topic in found.possible:
            return True
    return False
