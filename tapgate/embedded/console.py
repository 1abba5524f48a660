"""What the embedded default tells its user: what is being done, and why something cannot be."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager


class Failure(Exception):  # noqa: N818 - it is an outcome for the user, not a bug
    """What is wrong, where, why it matters and how to fix it; ends the command with exit code 2."""

    def __init__(self, what: str, *, where: str = "", why: str = "", fix: str = "") -> None:
        """Keep the parts that are given; `what` is one sentence without its full stop."""
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.fix = fix

    def __str__(self) -> str:
        """Render one line a part, the first being the sentence."""
        lines = [f"{self.what}."]
        lines += [
            f"  {label}: {text}"
            for label, text in (("Where", self.where), ("Why", self.why), ("Fix", self.fix))
            if text
        ]
        return "\n".join(lines)


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
