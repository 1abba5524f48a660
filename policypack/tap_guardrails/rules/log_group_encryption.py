"""Log groups encrypt their events with a KMS key.

CloudWatch Logs always encrypts, with keys that it owns unless a group names one; there is no key that AWS
manages in the account, so `key: aws` asks for nothing.
"""

from __future__ import annotations

from tap_guardrails.aws import KEY_SETTING, LOG_GROUP, named_key
from tap_guardrails.model import NotApplicable, Outcomes, Resource, Settings, Stack, StackRule


def check(group: Resource, stack: Stack, settings: Settings) -> Outcomes:
    """Check a log group."""
    if settings.enum("key") == "aws":
        yield NotApplicable("CloudWatch Logs encrypts every log group, and `key: aws` asks for no more.")
    else:
        yield from named_key(group, stack, LOG_GROUP.at(group, "kmsKeyId"), settings.enum("key"))


RULE = StackRule(
    name="log-group-encryption",
    title="Log groups are encrypted",
    description="CloudWatch log groups encrypt their events with a KMS key of the customer's.",
    why="Logs repeat what passes through; with a key of your own, reading them can be audited and stopped.",
    fix="Set `kmsKeyId` on the log group to your key's ARN, and let CloudWatch Logs use that key.",
    severity="medium",
    url="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
    types=LOG_GROUP.types,
    settings=(KEY_SETTING,),
    check=check,
)
