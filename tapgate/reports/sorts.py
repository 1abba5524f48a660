"""The four sorts of findings that every report keeps apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tapgate.findings import Finding

Sort = Literal["violation", "undecided", "advisory", "waived"]

SORTS: Final[tuple[Sort, ...]] = ("violation", "undecided", "advisory", "waived")
NAMES: Final[Mapping[Sort, str]] = {
    "violation": "Blocking violations",
    "undecided": "Undecided",
    "advisory": "Advisory",
    "waived": "Waived",
}


def sort_of(finding: Finding) -> Sort:
    """Tell a finding's sort; one that blocks is never among the waived or the advisory ones."""
    if finding.verdict in {"undecided", "error"}:
        return "undecided"
    if finding.blocks:
        return "violation"
    return "waived" if finding.verdict == "waived" else "advisory"


def counts(findings: Iterable[Finding]) -> Mapping[Sort, int]:
    """Count findings by sort, every sort named."""
    found: dict[Sort, int] = dict.fromkeys(SORTS, 0)
    for finding in findings:
        found[sort_of(finding)] += 1
    return found
