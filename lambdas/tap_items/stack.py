"""The stack's table, bucket and queue, as one process holds them: each made once, when first needed."""

from __future__ import annotations

import time
from functools import cache

from tap_items import aws_clients
from tap_items.item_table import ItemTable
from tap_items.object_store import ObjectStore
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
