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
    from tapgate.reports.dossier import Dossier
    from tapgate.reports.score import Score

Section = tuple[str, str, int | None, Markup]


def to_html(dossier: Dossier, *, earlier: Dossier | None = None) -> str:
    """Write a dossier as one HTML page.

    It holds its own style, and its content security policy allows nothing else: no script, no image, no
    font, no form, no address but links that a reader follows.

    Args:
        dossier: the dossier.
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
        element("title", f"{outcome_word(dossier)}: {subject(dossier)} · TAP Guardrails"),
        Markup(f"<style>{style}</style>"),
    )
    body = element("body", *_body(dossier, earlier), class_=colour(dossier.outcome))
    return f'<!doctype html>\n<html lang="en">{head}\n{body}</html>\n'


def _body(dossier: Dossier, earlier: Dossier | None) -> list[Markup]:
    figures = score(dossier)
    sections = _sections(dossier, figures, earlier)
    cards = score_cards(figures, stacks=len(dossier.stacks))
    top = [verdict(dossier, figures), notes(dossier)]
    if cards:
        top.append(element("section", element("h2", "Score"), cards, id="score"))
    entries = [("verdict", "Verdict", None), *(("score", "Score", None) for _ in range(bool(cards)))]
    entries += [(name, title, number) for name, title, number, _ in sections]
    return [
        element("a", "Skip to the verdict", href="#verdict", class_="skip"),
        masthead(dossier),
        element(
            "div",
            contents(entries),
            element("main", *top, *(section for *_, section in sections)),
            class_="columns",
        ),
        element("footer", element("p", "Made by TAP Guardrails from the Pulumi engine's own events.")),
    ]


def _sections(dossier: Dossier, figures: Score, earlier: Dossier | None) -> list[Section]:
    """Return the sections below the verdict, with the id, title and count that the navigation shows."""
    several = len(dossier.stacks) != 1
    found = counts(finding for report in dossier.stacks for finding in report.findings)
    sections: list[Section] = []
    if dossier.unaudited:
        number = len(dossier.unaudited)
        sections.append(("unaudited", "Could not be audited", number, unaudited_section(dossier)))
    if earlier is not None:
        trend = compare(earlier, dossier)
        sections.append(("changes", "Changes", len(trend.new), trend_section(trend, several=several)))
    if several and dossier.stacks:
        sections.append(("stacks", "Stacks", len(dossier.stacks), stacks_section(dossier)))
    for sort in SORTS:
        section = waivers_section(dossier) if sort == "waived" else findings_section(dossier, sort)
        sections.append((sort, NAMES[sort], found[sort], section))
    sections += [
        ("controls", "Controls", None, frameworks_section(figures, several=several)),
        ("policies", "Policies", len(figures.policies), policies_section(dossier, figures)),
        ("not-applicable", "Not applicable", None, not_judged_section(figures)),
        ("evidence", "Evidence", None, evidence_section(dossier)),
    ]
    return sections
