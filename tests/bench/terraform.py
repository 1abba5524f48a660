"""The synthetic stacks in Terraform's language, so that Checkov evaluates what the pack evaluates.

https://developer.hashicorp.com/terraform/language/syntax/configuration
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.policypack.harness.cases import CaseResource

TYPES: Final = {
    "aws:kms/key:Key": "aws_kms_key",
    "aws:kms/alias:Alias": "aws_kms_alias",
    "aws:iam/role:Role": "aws_iam_role",
    "aws:iam/rolePolicy:RolePolicy": "aws_iam_role_policy",
    "aws:cloudwatch/logGroup:LogGroup": "aws_cloudwatch_log_group",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "aws_cloudwatch_metric_alarm",
    "aws:lambda/function:Function": "aws_lambda_function",
    "aws:dynamodb/table:Table": "aws_dynamodb_table",
    "aws:sqs/queue:Queue": "aws_sqs_queue",
    "aws:sns/topic:Topic": "aws_sns_topic",
}
FUNCTION: Final = {"name": "function_name"}
REPEATED: Final = {"attributes": "attribute"}
MAPS: Final = frozenset({"tags", "dimensions", "variables"})
COMPUTED: Final = "tagsAll"


def snake(name: str) -> str:
    """Return Terraform's casing of a property."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def body(properties: Mapping[str, object], names: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of a block."""
    for name, value in properties.items():
        if name == COMPUTED:
            continue
        spelled = names.get(name, snake(name))
        if isinstance(value, dict) and name not in MAPS:
            yield from block(spelled, cast("dict[str, object]", value))
        elif name in REPEATED:
            for item in cast("list[dict[str, object]]", value):
                yield from block(spelled, item)
        else:
            yield f"{spelled} = {json.dumps(value)}"


def block(head: str, properties: Mapping[str, object], names: Mapping[str, str] = REPEATED) -> Iterator[str]:
    """Yield a block: a resource, or one nested in it."""
    yield f"{head} {{"
    yield from body(properties, names)
    yield "}"


def terraform(resources: Iterable[CaseResource]) -> str:
    """Return the resources, those of components aside, as one Terraform file."""
    lines: list[str] = []
    for resource in resources:
        kind = TYPES.get(resource.type)
        if kind is not None:
            names = {**REPEATED, **(FUNCTION if kind == "aws_lambda_function" else {})}
            lines.extend(block(f'resource "{kind}" "{resource.name}"', resource.props, names))
    return "\n".join(lines) + "\n"
