"""What looked at each resource: a control, a policy on its tags alone, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tapgate.sources import urn_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tapgate.events import EventLog
    from tapgate.findings import Report

_CLOSENESS: Final = ("control", "tags", "none")
_MOST_TYPES: Final = 4


def covered(log: EventLog) -> dict[str, str]:
    """Return what looked at each resource that a provider makes, of all packs the one that looked closest.

    Of a pack that does not tell, a resource policy that applies counts as a control.
    """
    found: dict[str, str] = {}
    for told in log.coverage.values():
        for urn, what in told.items():
            found[urn] = min(found.get(urn, what), what, key=_CLOSENESS.index)
    for one in log.analyzed:
        if one.pack not in log.coverage and not log.declared.get(one.urn, "").startswith("pulumi:"):
            looked = "control" if one.passed or one.failed else "none"
            found[one.urn] = min(found.get(one.urn, looked), looked, key=_CLOSENESS.index)
    return found


def coverage_words(reports: Iterable[Report]) -> str:
    """Say how many resources a control looked at, and of which types the others are; empty if unknown."""
    found: dict[str, list[str]] = {what: [] for what in _CLOSENESS}
    for report in reports:
        for urn, what in report.coverage:
            found[what].append(urn)
    if not any(found.values()):
        return ""
    control = len(found["control"])
    parts = [f"{control:,} {'resource' if control == 1 else 'resources'} by a control"]
    for what, words in (("tags", "by tags alone"), ("none", "by no policy")):
        if found[what]:
            parts.append(f"{len(found[what]):,} {words} ({_types(found[what])})")
    return ", ".join(parts)


def _types(urns: Sequence[str]) -> str:
    names = sorted({urn_type(urn) for urn in urns})
    more = len(names) - _MOST_TYPES
    return ", ".join([*names[:_MOST_TYPES], *([f"{more} more types"] if more > 0 else [])])
