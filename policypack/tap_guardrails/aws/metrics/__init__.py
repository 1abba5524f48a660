"""The metrics that AWS emits, a module for each namespace that the pack knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.metrics import dynamodb, lambda_functions, sns, sqs

if TYPE_CHECKING:
    from tap_guardrails.aws.metrics.metric import Metric

KNOWN: Final[dict[str, dict[str, Metric]]] = {
    "AWS/DynamoDB": dynamodb.METRICS,
    "AWS/Lambda": lambda_functions.METRICS,
    "AWS/SNS": sns.METRICS,
    "AWS/SQS": sqs.METRICS,
}
"""All metrics of the namespaces that have a table here."""


def lookup(namespace: str, name: str) -> Metric | None:
    """Return a metric, or None when the pack does not know it."""
    return KNOWN.get(namespace, {}).get(name)
