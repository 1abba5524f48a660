"""The fenced blocks of a Markdown page, with what the page says of each just before it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SHELLS = ("console", "bash", "sh", "shell", "shell-session")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        page: the page that it is on.
        line: the line of its opening fence.
        language: the word after the fence.
        lead: the last line before it that is not empty.
        body: what is in it.
    """

    page: Path
    line: int
    language: str
    lead: str
    body: str

    @property
    def commands(self) -> list[str]:
        """The commands, continued lines joined."""
        joined = re.sub(r"\\\n\s*", "", self.body)
        return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """Read a page's blocks, in order; a fence that nothing closes is an error."""
    found: list[Block] = []
    lead, opened, language, inside = "", 0, "", list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fence = re.fullmatch(r"\s*```([\w-]*).*", line)
        if fence and not opened:
            opened, language, inside = number, fence[1], []
        elif fence:
            found.append(Block(page, opened, language, lead, "".join(f"{one}\n" for one in inside)))
            lead, opened = "", 0
        elif opened:
            inside.append(line)
        elif line.strip():
            lead = line.strip()
    assert not opened, f"{page.name}:{opened}: this block is never closed"
    return found
