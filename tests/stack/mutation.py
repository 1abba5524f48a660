"""Changes to the program's text, each of which takes one control away: read from mutants.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

MUTANTS = Path(__file__).with_name("mutants.yaml")


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement: `old`, where it first comes after `after`, by `new`, in `file` of the component."""

    file: str
    old: str
    new: str
    after: str = ""

    def apply(self, component: Path) -> None:
        """Make the change; a text that is no longer there is an error of the table, never a silent pass."""
        path = component / self.file
        text = path.read_text()
        start = text.find(self.after)
        assert start >= 0, f"{self.file} has no {self.after!r}: bring mutants.yaml up to date"
        position = text.find(self.old, start)
        assert position >= 0, f"{self.file} has no {self.old!r} there: bring mutants.yaml up to date"
        path.write_text(text[:position] + self.new + text[position + len(self.old) :])


@dataclass(frozen=True, slots=True)
class Mutant:
    """A sabotaged stack and the policies that have to block it."""

    name: str
    edits: tuple[Edit, ...]
    blocked_by: frozenset[str]


def read_mutants() -> list[Mutant]:
    """Read the table."""
    rows = cast("list[dict[str, Any]]", yaml.safe_load(MUTANTS.read_text()))
    return [_mutant(row) for row in rows]


def _mutant(row: dict[str, Any]) -> Mutant:
    edits = (row, *row.get("also", ()))
    return Mutant(
        name=row["name"],
        edits=tuple(
            Edit(edit.get("file", row["file"]), edit["old"], edit["new"], edit.get("after", ""))
            for edit in edits
        ),
        blocked_by=frozenset(row["blocked_by"]),
    )
