"""Say on stderr what is being done, and that it still is."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

INTERVAL_SECONDS = 20.0


def say(message: str) -> None:
    """Print one line on stderr; stdout belongs to the command that is run, or to `env`."""
    print(f"tapgate: {message}", file=sys.stderr, flush=True)


@contextmanager
def still_going(
    what: str, *, interval_seconds: float = INTERVAL_SECONDS, tell: Callable[[str], None] = say
) -> Generator[None]:
    """While the block runs, tell every interval how long `what` has taken so far."""
    started = time.monotonic()
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(interval_seconds):
            tell(f"{what}: {elapsed(time.monotonic() - started)} so far")

    teller = threading.Thread(target=repeat, daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()


def elapsed(seconds: float) -> str:
    """Render a duration as minutes and seconds: `3 min 05 s`, `12 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
