"""Everything that is in the account, of the kinds that the TAP stack makes."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.target import Target

_GONE = {"PendingDeletion", "PendingReplicaDeletion"}
_UNCONFIRMED = {"PendingConfirmation", "Deleted"}
"""AWS goes on listing a subscription that no one confirmed for days after its topic is gone."""


def inventory(target: Target, suffix: str = "") -> set[str]:
    """List what there is, each as `kind name`.

    Args:
        target: Where.
        suffix: The environment whose resources are listed; empty for all, as suits an emulator. An account
            has resources of others, which come and go while the tests run.
    """
    return {f"{kind} {name}" for kind, name in _everything(target, suffix)}


def _everything(target: Target, suffix: str) -> Iterator[tuple[str, str]]:
    for key in _keys(target, suffix):
        yield "key", key
    named = {
        "alias": _items(target.kms, "list_aliases", "Aliases", "AliasName"),
        "bucket": _items(target.s3, "list_buckets", "Buckets", "Name"),
        "table": _items(target.dynamodb, "list_tables", "TableNames"),
        "queue": (url.rpartition("/")[2] for url in _items(target.sqs, "list_queues", "QueueUrls")),
        "topic": _items(target.sns, "list_topics", "Topics", "TopicArn"),
        "role": _items(target.iam, "list_roles", "Roles", "RoleName"),
        "log group": _items(target.logs, "describe_log_groups", "logGroups", "logGroupName"),
        "alarm": _items(target.cloudwatch, "describe_alarms", "MetricAlarms", "AlarmName"),
        "function": _items(target.functions, "list_functions", "Functions", "FunctionName"),
    }
    for kind, names in named.items():
        for name in names:
            if not name.startswith("alias/aws/") and _is_of(name, suffix):
                yield kind, name
    for one in _pages(target.functions, "list_event_source_mappings", "EventSourceMappings"):
        if _is_of(one["FunctionArn"], suffix):
            yield "event source", f"{one['EventSourceArn']} of {one['FunctionArn']}"
    for one in _pages(target.sns, "list_subscriptions", "Subscriptions"):
        if one["SubscriptionArn"] not in _UNCONFIRMED and _is_of(one["TopicArn"], suffix):
            yield "subscription", f"{one['TopicArn']} of {one['Endpoint']}"


def _is_of(name: str, suffix: str) -> bool:
    """Return whether a name or ARN is `tap-<component>-<suffix>`, account and region following or not."""
    end = rf"tap-[a-z0-9-]+-{re.escape(suffix)}(-\d{{12}})?(-[a-z]+-[a-z-]+-\d)?"
    return not suffix or re.search(rf"(?:^|[/:]){end}$", name) is not None


def _keys(target: Target, suffix: str) -> Iterator[str]:
    """Keys that customers have made; they have no names, so an environment's are told by their tags."""
    for key in _items(target.kms, "list_keys", "Keys", "KeyId"):
        # Somebody else's key may be one that we may not look at.
        with contextlib.suppress(ClientError):
            found = target.kms.describe_key(KeyId=key)["KeyMetadata"]
            if found.get("KeyManager") == "AWS" or found.get("KeyState") in _GONE:
                continue
            tags = target.kms.list_resource_tags(KeyId=key)["Tags"] if suffix else []
            of_environment = {"TagKey": "Environment", "TagValue": suffix} in tags
            if not suffix or (of_environment and {"TagKey": "Project", "TagValue": "tap-stack"} in tags):
                yield key


def _items(client: object, operation: str, where: str, name: str = "") -> Iterator[str]:
    for one in _pages(client, operation, where):
        yield one[name] if name else one


def _pages(client: object, operation: str, where: str) -> Iterator[Any]:
    """Yield the items of all pages of an operation's answer."""
    pages = cast("Any", client).get_paginator(operation).paginate()
    for page in pages:
        yield from page.get(where) or []
