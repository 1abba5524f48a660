"""The stack's table, bucket and queue, as one process holds them: each made once, when first needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache

from tap_items import aws_clients
from tap_items.aws_clients import UnavailableError
from tap_items.item_table import ItemTable
from tap_items.object_store import ObjectStore
from tap_items.observability import logger
from tap_items.settings import settings
from tap_items.work_queue import WorkQueue


def now_milliseconds() -> int:
    """Return the time, in ms since 1970."""
    return time.time_ns() // 1_000_000


@cache
def records() -> ItemTable:
    """Return the metadata table."""
    return ItemTable(aws_clients.dynamodb(), settings().table_name)


@cache
def objects() -> ObjectStore:
    """Return the data bucket."""
    return ObjectStore(aws_clients.s3(), settings().bucket_name, settings().kms_key_arn)


@cache
def work() -> WorkQueue:
    """Return the work queue."""
    return WorkQueue(aws_clients.sqs, settings().queue_url)


def check_health(checks: Mapping[str, Callable[[], object]]) -> dict[str, str]:
    """Run each check; a name's state is `ok` or `unavailable`, and the log says why."""
    states: dict[str, str] = {}
    for name, check in checks.items():
        try:
            check()
        except UnavailableError as error:
            about = {"dependency": name, "operation": error.operation, "code": error.code}
            logger.warning("A dependency is unavailable", extra=about)
            states[name] = "unavailable"
        else:
            states[name] = "ok"
    return states
