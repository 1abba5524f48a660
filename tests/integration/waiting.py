"""Waiting for what happens elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def eventually(look: Callable[[], T], seconds: float = 180, pause: float = 0.25) -> T:
    """Look again and again until there is something.

    Returns:
        What was seen: true, not empty.

    Raises:
        AssertionError: Nothing was to be seen in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            msg = f"{look.__name__}: nothing to be seen in {seconds} s"
            raise AssertionError(msg)
        time.sleep(pause)
