"""Logs and metrics: what happened to which item, never what is in it."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING, Any, cast

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from tap_items.settings import SettingsError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(use_rfc3339=True)
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "TapStack"))


def begin_invocation(context: LambdaContext) -> None:
    """Start an invocation's log and metrics: with its request's id, and nothing left of the one before."""
    # Two environments in one account would else add up in one metric.
    cast("Any", metrics).set_default_dimensions(environment=os.environ.get("ENVIRONMENT_SUFFIX") or "unknown")
    logger.clear_state()
    logger.append_keys(function_request_id=context.aws_request_id, function_name=context.function_name)


def log_with(**keys: str) -> None:
    """Put keys into every further line of this invocation's log."""
    logger.append_keys(**keys)


def count(name: str, value: float = 1) -> None:
    """Add to a metric that counts."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def measure_milliseconds(name: str, value: float) -> None:
    """Add to a metric of time."""
    metrics.add_metric(name=name, unit=MetricUnit.Milliseconds, value=value)


def flush_metrics() -> None:
    """Write the invocation's metrics, if there are any, as one line of embedded metric format."""
    if metrics.metric_set:
        metrics.flush_metrics()


def describe_error(error: BaseException) -> dict[str, object]:
    """Return an unexpected error for the log: its type and where it arose, without its message.

    A message of a library may repeat what it was given, and that may be an item's content. Missing settings
    are told in full.
    """
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    told = {"error_detail": str(error)} if isinstance(error, SettingsError) else {}
    return {
        **told,
        "error_type": type(error).__name__,
        "error_at": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames],
    }
