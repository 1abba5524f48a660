"""One line that shows that the engine is at work, on a terminal only."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from pathlib import Path


class Progress:
    """Shows the time and the number of resources seen so far; gone when the work is done.

    Args:
        stream: where to; nothing is shown when it is no terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._start = time.monotonic()
        self._offset = 0
        self._resources = 0
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def watch(self, events: Path) -> None:
        """Look at how far the event log has come, and show it."""
        if not self._stream.isatty() or not events.is_file():
            return
        with events.open("rb") as log:
            log.seek(self._offset)
            new = log.read()
        self._offset += len(new)
        self._resources += new.count(b'"resourcePreEvent"')
        seconds = time.monotonic() - self._start
        seen = f"{self._resources} resource{'' if self._resources == 1 else 's'}"
        self._stream.write(f"\r\x1b[2K  evaluating … {seen}, {seconds:.0f} s")
        self._stream.flush()
        self._shown = True

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
            self._shown = False
