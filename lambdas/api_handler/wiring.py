"""The API's use case, put together once a process."""

from __future__ import annotations

from functools import cache

from api_handler.intake import Intake
from tap_items import stack


@cache
def intake() -> Intake:
    """What `POST /items` does."""
    return Intake(stack.objects(), stack.records(), stack.work(), stack.now_milliseconds)
