"""The top of the page: what it is about, what came of it, and the figures at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapgate.reports.page.drawing import bar, colour, mark
from tapgate.reports.page.elements import Markup, element, text, when
from tapgate.reports.sorts import NAMES, SORTS, counts
from tapgate.reports.wording import at_words, count, headline, instant, outcome_word, subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.reports.score import Score
    from tapgate.reports.verdict_file import VerdictFile

_KINDS = {"preview": "Preview", "deploy": "Deployment", "audit": "Audit"}


def moment(made: str) -> Markup:
    """Return a time for people, with the exact one for machines; what is no time is shown as it is."""
    at = instant(made)
    return element("time", at_words(made), datetime=f"{at:%Y-%m-%dT%H:%M:%S}Z") if at else text(made)


def masthead(verdicts: VerdictFile) -> Markup:
    """Return the header."""
    return element(
        "header",
        element("p", mark("shield"), "TAP Guardrails", class_="brand"),
        element("p", f"{_KINDS[verdicts.kind]} report", class_="kind"),
        when(verdicts.made, element("p", moment(verdicts.made), class_="made")),
        class_="masthead",
    )


def verdict(verdicts: VerdictFile, score: Score) -> Markup:
    """Return the verdict with its figures."""
    found = counts(finding for report in verdicts.stacks for finding in report.findings)
    tiles = [
        element(
            "li",
            element("a", element("b", f"{found[sort]:,}"), " ", NAMES[sort], href=f"#{sort}"),
            class_=f"tile {colour(sort) if found[sort] else 'is-none'}",
        )
        for sort in SORTS
    ]
    checks = score.checks
    words = f"{checks.holds:,} of {count(checks.of, 'check')} passed"
    return element(
        "section",
        element(
            "div",
            mark(verdicts.outcome),
            element(
                "div",
                element("p", subject(verdicts), class_="subject"),
                element("h1", outcome_word(verdicts)),
                element("p", headline(verdicts), class_="headline"),
            ),
            class_="outcome",
        ),
        element("ul", *tiles, class_="tiles"),
        when(
            checks.of,
            element(
                "div",
                bar((("passed", checks.holds), ("failed", checks.of - checks.holds)), words),
                element(
                    "p",
                    words,
                    when(checks.percent is not None, text(f" ({checks.percent} %)")),
                    class_="small",
                ),
                class_="checks",
            ),
        ),
        id="verdict",
        class_=f"verdict {colour(verdicts.outcome)}",
    )


def notes(verdicts: VerdictFile) -> Markup:
    """Return the warnings that a reader must know, each once."""
    said = dict.fromkeys(_notes(verdicts))
    if not said:
        return Markup()
    items = [element("li", note) for note in said]
    return element(
        "section",
        element("h2", "Before you rely on this"),
        element("ul", *items),
        id="notes",
        class_="notes is-warn",
    )


def _notes(verdicts: VerdictFile) -> Iterator[str]:
    for report in verdicts.stacks:
        yield from report.notes


def contents(entries: list[tuple[str, str, int | None]]) -> Markup:
    """Return the navigation.

    Args:
        entries: id of a section, its title, and what it counts, if anything.
    """
    items = [
        element(
            "li",
            element(
                "a", title, when(number is not None, element("span", f"{number or 0:,}")), href=f"#{section}"
            ),
        )
        for section, title, number in entries
    ]
    return element("nav", element("ul", *items), aria_label="Sections")
