"""The sections about stacks: how each stands, and which could not be audited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapgate.reports.page.drawing import badge
from tapgate.reports.page.elements import Markup, code, described, element, join, table, text
from tapgate.reports.sorts import SORTS, counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.findings import Report
    from tapgate.reports.verdict_file import Unaudited, VerdictFile


def stacks_section(verdicts: VerdictFile) -> Markup:
    """Return a table of the stacks, the one with the most blocking findings first."""
    ordered = sorted(verdicts.stacks, key=lambda one: (-_blocking(one), one.project, one.stack))
    columns = [
        "Stack",
        "Outcome",
        "#Violations",
        "#Undecided",
        "#Advisory",
        "#Waived",
        "#Resources",
        "#Checks passed",
    ]
    return element(
        "section",
        element("h2", "Stacks ", element("span", f"{len(ordered):,}", class_="tally")),
        table("Stacks and their findings", columns, map(_row, ordered)),
        id="stacks",
    )


def _blocking(report: Report) -> int:
    return sum(finding.blocks for finding in report.findings)


def _row(report: Report) -> Iterator[Markup]:
    yield text(f"{report.project} / {report.stack}")
    yield badge(report.outcome)
    found = counts(report.findings)
    for sort in SORTS:
        yield text(f"{found[sort]:,}")
    yield text(f"{report.resources:,}")
    passed = sum(tally.passed for tally in report.tallies)
    checks = passed + sum(tally.failed for tally in report.tallies)
    yield text(f"{passed:,} of {checks:,}")


def unaudited_section(verdicts: VerdictFile) -> Markup:
    """Return the stacks without a verdict, each with the reason and what to do."""
    heading = element(
        "h2", "Could not be audited ", element("span", f"{len(verdicts.unaudited):,}", class_="tally")
    )
    lead = "Nothing is known of these. They count neither as passed nor as blocked."
    entries = [_unaudited(one) for one in verdicts.unaudited]
    return element(
        "section",
        heading,
        element("p", lead, class_="lead"),
        element("ul", *entries, class_="entries framed"),
        id="unaudited",
        class_="is-warn",
    )


def _unaudited(one: Unaudited) -> Markup:
    pairs = [("Where", text(one.where)), ("Why", text(one.why)), ("Fix", text(one.fix))]
    details = [
        element(
            "details", element("summary", "Evidence"), *(element("p", code(line)) for line in one.details)
        )
    ]
    return element(
        "li",
        element("p", element("b", code(one.name)), " ", one.what, class_="what"),
        described(pairs, "facts"),
        join(details if one.details else []),
    )
