"""Shows what was looked at, line by line, and what it comes to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tapgate.doctor import check_line
from tapgate.terminal import Ink, write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tapgate.doctor import Check


def show_checks(checks: Iterable[Check], word: str) -> bool:
    """Print each check as it is made, then `WORD` or `NOT WORD` with how many are missing.

    Returns:
        Whether nothing is missing.
    """
    ink = Ink.for_stream(sys.stdout)
    missing = 0
    for check in checks:
        missing += check.status == "missing"
        write(check_line(check, ink), sys.stdout)
    verdict, style = (word, "green") if not missing else (f"NOT {word}", "red")
    said = "nothing is missing" if not missing else f"{missing} missing"
    write(["", f"{ink.paint(verdict, style, 'bold')}  {said}"], sys.stdout)
    return not missing
