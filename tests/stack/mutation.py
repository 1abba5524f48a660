"""Changes to the program's text, each of which takes one control away: read from mutants.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    """A sabotaged stack and what has to block it.

    Attributes:
        name: what is sabotaged.
        edits: how.
        blocked_by: the policies that block.
        found: each of them, with the name of the resource on which it does so; empty where that is chance, or
            no other mutant is seen beside this one.
    """

    name: str
    edits: tuple[Edit, ...]
    blocked_by: frozenset[str]
    found: frozenset[tuple[str, str]]

    def disturbs(self, other: Mutant) -> bool:
        """Say whether the two edit one file, or findings would not tell which of them is seen."""
        files = {edit.file for edit in self.edits} & {edit.file for edit in other.edits}
        return bool(files or self.blocked_by & other.blocked_by or not (self.found and other.found))


def read_mutants() -> list[Mutant]:
    """Read the table."""
    rows = cast("list[dict[str, Any]]", yaml.safe_load(MUTANTS.read_text()))
    return [_mutant(row) for row in rows]


def together(mutants: Iterable[Mutant]) -> list[list[Mutant]]:
    """Group mutants that one stack can have at once, each still told by findings of its own policies."""
    groups: list[list[Mutant]] = []
    for mutant in mutants:
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
    )
