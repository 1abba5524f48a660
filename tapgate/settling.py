"""One verdict of two: what policies said during the preview, and what they say of the rehearsal's state."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from tapgate.findings import sorted_findings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from tapgate.findings import Finding, Report

_Asked = tuple[str, str, str]


def settled(report: Report, later: Report, known: Collection[str]) -> Report:
    """Return a report that holds what both say.

    What is undecided in the first is decided by what the other one says of the same policy and resource, and
    stays undecided where that has not seen the resource. Everything else blocks as it would alone.

    Args:
        report: the first, of whose values some were unknown.
        later: the second, whose values are known, but for what nobody can know.
        known: URNs of the resources that the second has seen.

    Returns:
        The second, with what it has not settled, and with the changes and notes of the first.
    """
    return replace(
        later,
        findings=sorted_findings([*later.findings, *unsettled(report.findings, later, known)]),
        notes=tuple(dict.fromkeys((*report.notes, *later.notes))),
        changes=report.changes,
    )


def unsettled(findings: Iterable[Finding], later: Report, known: Collection[str]) -> list[Finding]:
    """Return what another report leaves of some findings; see `settled`."""
    said = _by_question(later.findings)
    return [one for one in findings if not _is_settled(one, said[_question(one)], known)]


def _is_settled(one: Finding, said: Collection[Finding], known: Collection[str]) -> bool:
    if one.verdict == "undecided" and one.urn in known:
        return True
    # The same finding may be worded otherwise where a value is known by now.
    return any((one.verdict, one.property_path) == (other.verdict, other.property_path) for other in said)


def _by_question(findings: Iterable[Finding]) -> Mapping[_Asked, list[Finding]]:
    found: dict[_Asked, list[Finding]] = defaultdict(list)
    for one in findings:
        found[_question(one)].append(one)
    return found


def _question(one: Finding) -> _Asked:
    return one.pack, one.policy, one.urn
