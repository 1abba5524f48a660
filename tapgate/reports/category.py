"""The four categories of findings that every report keeps apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tapgate.findings import Finding

Category = Literal["violation", "undecided", "advisory", "waived"]

CATEGORIES: Final[tuple[Category, ...]] = ("violation", "undecided", "advisory", "waived")
NAMES: Final[Mapping[Category, str]] = {
    "violation": "Blocking violations",
    "undecided": "Undecided",
    "advisory": "Advisory",
    "waived": "Waived",
}


def category_of(finding: Finding) -> Category:
    """Tell a finding's category; one that blocks is never among the waived or the advisory ones."""
    if finding.verdict in {"undecided", "error"}:
        return "undecided"
    if finding.blocks:
        return "violation"
    return "waived" if finding.verdict == "waived" else "advisory"


def counts(findings: Iterable[Finding]) -> Mapping[Category, int]:
    """Count findings by category, every category named."""
    found: dict[Category, int] = dict.fromkeys(CATEGORIES, 0)
    for finding in findings:
        found[category_of(finding)] += 1
    return found
