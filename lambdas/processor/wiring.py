"""The processor's use case, put together once a process."""

from __future__ import annotations

from functools import cache

from processor.delivery import Deliveries
from processor.work import ItemWork
from tap_items import stack


@cache
def item_work() -> ItemWork:
    """Return what is done with one item."""
    return ItemWork(stack.objects(), stack.records(), stack.now_milliseconds)


@cache
def deliveries() -> Deliveries:
    """Return what is done with one delivery of a message."""
    return Deliveries(item_work(), stack.records(), stack.work(), stack.now_milliseconds)
