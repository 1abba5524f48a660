"""Puts the page together."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import TYPE_CHECKING

from tapgate.reports.page.drawing import colour
from tapgate.reports.page.elements import Markup, element
from tapgate.reports.page.evidence import evidence_section
from tapgate.reports.page.findings import findings_section
from tapgate.reports.page.masthead import contents, masthead, notes, verdict
from tapgate.reports.page.stacks import stacks_section, unaudited_section
from tapgate.reports.page.standing import (
    frameworks_section,
    not_judged_section,
    policies_section,
    score_cards,
)
from tapgate.reports.page.trend import trend_section
from tapgate.reports.page.waivers import waivers_section
from tapgate.reports.score import score
from tapgate.reports.sorts import NAMES, SORTS, counts
from tapgate.reports.trend import compare
from tapgate.reports.wording import outcome_word, subject

if TYPE_CHECKING:
    from tapgate.reports.score import Score
    from tapgate.reports.verdict_file import VerdictFile

Section = tuple[str, str, int | None, Markup]


def to_html(verdicts: VerdictFile, *, earlier: VerdictFile | None = None) -> str:
    """Write a verdict file as one HTML page.

    It holds its own style, and its content security policy allows nothing else: no script, no image, no
    font, no form, no address but links that a reader follows.

    Args:
        verdicts: the verdicts.
        earlier: one to compare it with.
    """
    style = resources.files(__package__ or __name__).joinpath("report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{outcome_word(verdicts)}: {subject(verdicts)} · TAP Guardrails"),
        Markup(f"<style>{style}</style>"),
    )
    body = element("body", *_body(verdicts, earlier), class_=colour(verdicts.outcome))
    return f'<!doctype html>\n<html lang="en">{head}\n{body}</html>\n'


def _body(verdicts: VerdictFile, earlier: VerdictFile | None) -> list[Markup]:
    figures = score(verdicts)
    sections = _sections(verdicts, figures, earlier)
    cards = score_cards(figures, stacks=len(verdicts.stacks))
    top = [verdict(verdicts, figures), notes(verdicts)]
    if cards:
        top.append(element("section", element("h2", "Score"), cards, id="score"))
    entries = [("verdict", "Verdict", None), *(("score", "Score", None) for _ in range(bool(cards)))]
    entries += [(name, title, number) for name, title, number, _ in sections]
    return [
        element("a", "Skip to the verdict", href="#verdict", class_="skip"),
        masthead(verdicts),
        element(
            "div",
            contents(entries),
            element("main", *top, *(section for *_, section in sections)),
            class_="columns",
        ),
        element("footer", element("p", "Made by TAP Guardrails from the Pulumi engine's own events.")),
    ]


def _sections(verdicts: VerdictFile, figures: Score, earlier: VerdictFile | None) -> list[Section]:
    """Return the sections below the verdict, with the id, title and count that the navigation shows."""
    several = len(verdicts.stacks) != 1
    found = counts(finding for report in verdicts.stacks for finding in report.findings)
    sections: list[Section] = []
    if verdicts.unaudited:
        number = len(verdicts.unaudited)
        sections.append(("unaudited", "Could not be audited", number, unaudited_section(verdicts)))
    if earlier is not None:
        trend = compare(earlier, verdicts)
        sections.append(("changes", "Changes", len(trend.new), trend_section(trend, several=several)))
    if several and verdicts.stacks:
        sections.append(("stacks", "Stacks", len(verdicts.stacks), stacks_section(verdicts)))
    for sort in SORTS:
        section = waivers_section(verdicts) if sort == "waived" else findings_section(verdicts, sort)
        sections.append((sort, NAMES[sort], found[sort], section))
    sections += [
        ("controls", "Controls", None, frameworks_section(figures, several=several)),
        ("policies", "Policies", len(figures.policies), policies_section(verdicts, figures)),
        ("not-applicable", "Not applicable", None, not_judged_section(figures)),
        ("evidence", "Evidence", None, evidence_section(verdicts)),
    ]
    return sections
