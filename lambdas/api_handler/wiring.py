"""The API's use case, put together once a process."""

from __future__ import annotations

from functools import cache

from api_handler.ingest import Ingestion
from tap_items import stack


@cache
def ingestion() -> Ingestion:
    """Return what `POST /items` does."""
    return Ingestion(stack.objects(), stack.records(), stack.work(), stack.now_milliseconds)
