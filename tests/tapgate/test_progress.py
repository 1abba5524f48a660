from __future__ import annotations

import io
from typing import TYPE_CHECKING

from tapgate.terminal import Progress

if TYPE_CHECKING:
    from pathlib import Path


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_resources_are_counted_on_a_terminal_and_the_line_is_taken_away(tmp_path: Path) -> None:
    screen, events = Screen(), tmp_path / "events"
    with Progress(screen) as progress:
        progress.observe(events)
        assert screen.getvalue() == ""
        events.write_text('{"resourcePreEvent":{}}\n{"x":1}\n')
        progress.observe(events)
        assert "1 resource, 0 s" in screen.getvalue()
        with events.open("a") as log:
            log.write('{"resourcePreEvent":{}}\n')
        progress.observe(events)
        assert "2 resources, 0 s" in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[2K")


def test_nothing_is_shown_elsewhere(tmp_path: Path) -> None:
    events = tmp_path / "events"
    events.write_text('{"resourcePreEvent":{}}\n')
    stream = io.StringIO()
    with Progress(stream) as progress:
        progress.observe(events)
    assert stream.getvalue() == ""
