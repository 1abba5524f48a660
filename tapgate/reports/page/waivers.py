"""The section of waivers: what is let through, why, who answers for it, and until when."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tapgate.reports.identity import Identity, identified
from tapgate.reports.page.drawing import badge, mark
from tapgate.reports.page.elements import Markup, code, element, join, prose, table, text, when
from tapgate.reports.sorts import NAMES, sort_of
from tapgate.reports.waivers import SOON, Waiver, waiver_of
from tapgate.reports.wording import instant, resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.findings import Finding
    from tapgate.reports.verdict_file import VerdictFile

_NOT_SAID = "not said"


def waivers_section(verdicts: VerdictFile) -> Markup:
    """Return the section of waived findings, the one that expires first on top."""
    waived = sorted(_waived(verdicts), key=lambda one: (_due(one[2]), one[0]))
    made = instant(verdicts.made)
    today = made.date() if made else None
    heading = element(
        "h2", mark("waived"), f"{NAMES['waived']} ", element("span", f"{len(waived):,}", class_="tally")
    )
    if not waived:
        return element("section", heading, element("p", "Nothing is waived."), id="waived", class_="is-hold")
    several = len(verdicts.stacks) > 1
    columns = ["Resource", *(["Stack"] if several else []), "Policy", "Finding", "Reason", "Owner", "Expires"]
    rows = (_row(identity, finding, waiver, today, several=several) for identity, finding, waiver in waived)
    return element(
        "section",
        heading,
        element(
            "p", "Violations that somebody answers for. They stop nothing until they expire.", class_="lead"
        ),
        table("Waived findings", columns, rows),
        id="waived",
        class_="is-hold",
    )


def _waived(verdicts: VerdictFile) -> Iterator[tuple[Identity, Finding, Waiver]]:
    for report in verdicts.stacks:
        for identity, finding in identified(report):
            waiver = waiver_of(finding)
            if waiver is not None and sort_of(finding) == "waived":
                yield identity, finding, waiver


def _due(waiver: Waiver) -> int:
    days = waiver.days_left(date.min)
    return date.max.toordinal() if days is None else days


def _row(
    identity: Identity, finding: Finding, waiver: Waiver, today: date | None, *, several: bool
) -> Iterator[Markup]:
    yield code(resource(finding))
    if several:
        yield text(f"{identity.project} / {identity.stack}")
    yield code(finding.policy)
    yield prose(finding.summary)
    yield text(waiver.reason or _NOT_SAID)
    yield text(waiver.owner or _NOT_SAID)
    yield _expiry(waiver, today)


def _expiry(waiver: Waiver, today: date | None) -> Markup:
    days = waiver.days_left(today)
    remaining = waiver.remaining(today)
    word = element("small", remaining)
    if days is not None and days <= SOON:
        word = badge("violation" if days < 0 else "advisory", remaining)
    date_words = element("span", waiver.expires or _NOT_SAID, class_="date")
    return join([date_words, when(remaining, join([" ", word]))])
