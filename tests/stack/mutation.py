"""Changes to the program's text, each of which takes one control away: read from mutants.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

MUTANTS = Path(__file__).with_name("mutants.yaml")
COMPONENT = Path(__file__).parents[2] / "program" / "tap_stack"


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement: `old`, where it first comes after `after`, by `new`, in `file` of the component."""

    file: str
    old: str
    new: str
    after: str = ""

    def span(self, text: str) -> tuple[int, int]:
        """Where the file's text is replaced; a text that is no longer there is an error of the table."""
        start = text.find(self.after)
        assert start >= 0, f"{self.file} has no {self.after!r}: bring mutants.yaml up to date"
        position = text.find(self.old, start)
        assert position >= 0, f"{self.file} has no {self.old!r} there: bring mutants.yaml up to date"
        return position, position + len(self.old)

    def meets(self, other: Edit) -> bool:
        """Say whether the two replace some of the same text."""
        if self.file != other.file:
            return False
        text = read(self.file)
        (start, end), (others_start, others_end) = self.span(text), other.span(text)
        return start < others_end and others_start < end


@cache
def read(file: str) -> str:
    """Read a file of the component as it is."""
    return (COMPONENT / file).read_text()


def apply(edits: Iterable[Edit], component: Path) -> None:
    """Make changes that do not meet, each where the text as it was has its place."""
    edited: dict[str, list[Edit]] = {}
    for edit in edits:
        edited.setdefault(edit.file, []).append(edit)
    for file, changes in edited.items():
        text = changed = (component / file).read_text()
        for edit in sorted(changes, key=lambda edit: edit.span(text), reverse=True):
            start, end = edit.span(text)
            changed = changed[:start] + edit.new + changed[end:]
        (component / file).write_text(changed)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A sabotaged stack and what has to block it.

    Attributes:
        name: what is sabotaged.
        edits: how.
        blocked_by: the policies that block.
        found: each of them, with the name of the resource on which it does so; empty where no other mutant is
            seen beside this one.
        hides: policies that find less beside it than by themselves.
    """

    name: str
    edits: tuple[Edit, ...]
    blocked_by: frozenset[str]
    found: frozenset[tuple[str, str]]
    hides: frozenset[str]

    def disturbs(self, other: Mutant) -> bool:
        """Say whether the two edit the same text, or findings would not tell which of them is seen."""
        meet = any(edit.meets(others) for edit in self.edits for others in other.edits)
        hidden = self.hides & other.blocked_by or other.hides & self.blocked_by
        return meet or bool(hidden or self.found & other.found)


def read_mutants() -> list[Mutant]:
    """Read the table."""
    rows = cast("list[dict[str, Any]]", yaml.load(MUTANTS.read_text(), yaml.CSafeLoader))
    return [_mutant(row) for row in rows]


def together(mutants: Iterable[Mutant]) -> list[list[Mutant]]:
    """Group mutants that one stack can have at once, each still told by findings of its own."""
    groups: list[list[Mutant]] = []
    for mutant in (mutant for mutant in mutants if mutant.found):
        group = next((group for group in groups if not any(map(mutant.disturbs, group))), None)
        if group is None:
            groups.append([mutant])
        else:
            group.append(mutant)
    return groups


def _mutant(row: dict[str, Any]) -> Mutant:
    edits = (row, *row.get("also", ()))
    blocked_by = cast("dict[str, str | list[str]] | list[str]", row["blocked_by"])
    return Mutant(
        name=row["name"],
        edits=tuple(
            Edit(edit.get("file", row["file"]), edit["old"], edit["new"], edit.get("after", ""))
            for edit in edits
        ),
        blocked_by=frozenset(blocked_by),
        found=frozenset(
            (policy, resource)
            for policy, resources in (blocked_by.items() if isinstance(blocked_by, dict) else ())
            for resource in ([resources] if isinstance(resources, str) else resources)
        ),
        hides=frozenset(row.get("hides", ())),
    )
