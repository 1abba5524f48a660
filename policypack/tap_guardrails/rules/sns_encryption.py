"""SNS topics encrypt the messages that they hold with a KMS key.

Without one, AWS encrypts the disks with keys that it owns.
"""

from __future__ import annotations

from tap_guardrails.aws import KEY_SETTING, TOPIC, named_key
from tap_guardrails.model import Outcomes, Resource, Settings, Stack, StackRule


def check(topic: Resource, stack: Stack, settings: Settings) -> Outcomes:
    """Check a topic."""
    yield from named_key(topic, stack, topic.at("kmsMasterKeyId"), settings.enum("key"))


RULE = StackRule(
    name="sns-encryption",
    title="SNS topics are encrypted",
    description="SNS topics encrypt their messages with a KMS key of the customer's.",
    why="SNS encrypts with keys of its own; only with yours can reading messages be audited and taken away.",
    fix="Set `kmsMasterKeyId` on the topic to the ARN, id or alias of your key.",
    severity="medium",
    url="https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html",
    types=TOPIC.types,
    settings=(KEY_SETTING,),
    check=check,
)
