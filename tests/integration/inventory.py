"""Everything that is in the account, of the kinds that the TAP stack makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricAlarmTypeDef
    from mypy_boto3_lambda.type_defs import FunctionConfigurationTypeDef
    from mypy_boto3_logs.type_defs import LogGroupTypeDef

    from tests.integration.target import Target

_GONE = {"PendingDeletion", "PendingReplicaDeletion"}


def inventory(target: Target) -> set[str]:
    """List what there is, each as `kind name`."""
    return {
        *(f"key {name}" for name in _keys(target)),
        *(f"alias {name}" for name in _aliases(target)),
        *(f"bucket {bucket.get('Name')}" for bucket in target.s3.list_buckets()["Buckets"]),
        *(f"table {name}" for name in target.dynamodb.list_tables()["TableNames"]),
        *(f"queue {url.rpartition('/')[2]}" for url in target.sqs.list_queues().get("QueueUrls", [])),
        *(f"topic {topic.get('TopicArn')}" for topic in target.sns.list_topics()["Topics"]),
        *(f"role {role['RoleName']}" for role in target.iam.list_roles()["Roles"]),
        *(f"log group {group.get('logGroupName')}" for group in _log_groups(target)),
        *(f"alarm {alarm.get('AlarmName')}" for alarm in _alarms(target)),
        *(f"function {function.get('FunctionName')}" for function in _functions(target)),
        *_sources(target),
        *_subscriptions(target),
    }


def _keys(target: Target) -> list[str]:
    kms = target.kms
    ids = [key["KeyId"] for key in kms.list_keys()["Keys"] if "KeyId" in key]
    found = [kms.describe_key(KeyId=key)["KeyMetadata"] for key in ids]
    own = [key for key in found if key.get("KeyManager") != "AWS"]
    return [key["KeyId"] for key in own if key.get("KeyState") not in _GONE]


def _aliases(target: Target) -> list[str]:
    names = [alias.get("AliasName", "") for alias in target.kms.list_aliases()["Aliases"]]
    return [name for name in names if not name.startswith("alias/aws/")]


def _log_groups(target: Target) -> list[LogGroupTypeDef]:
    return target.logs.describe_log_groups()["logGroups"]


def _alarms(target: Target) -> list[MetricAlarmTypeDef]:
    return target.cloudwatch.describe_alarms()["MetricAlarms"]


def _functions(target: Target) -> list[FunctionConfigurationTypeDef]:
    return target.functions.list_functions()["Functions"]


def _sources(target: Target) -> list[str]:
    mappings = target.functions.list_event_source_mappings()["EventSourceMappings"]
    return [f"event source {item.get('EventSourceArn')} of {item.get('FunctionArn')}" for item in mappings]


def _subscriptions(target: Target) -> list[str]:
    found = target.sns.list_subscriptions()["Subscriptions"]
    return [f"subscription {item.get('TopicArn')} of {item.get('Endpoint')}" for item in found]
