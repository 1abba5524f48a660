"""The section on how the report came about: packs, engine, plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapgate.coverage import coverage_words
from tapgate.reports.page.elements import Markup, code, described, element, join, table, text
from tapgate.reports.verdict_file import SCHEMA
from tapgate.reports.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.reports.verdict_file import VerdictFile

_VERBS = {"same": "unchanged"}


def evidence_section(verdicts: VerdictFile) -> Markup:
    """Return the section."""
    packs = sorted(
        {(one.name, one.version, one.path, one.config) for report in verdicts.stacks for one in report.packs}
    )
    rows = (
        [
            text(name),
            text(version),
            code(path) if path else text("required by the organisation"),
            code(config) if config else text("not known"),
        ]
        for name, version, path, config in packs
    )
    return element(
        "section",
        element("h2", "How this was found out"),
        table("Policy packs", ["Pack", "Version", "Loaded from", "Config"], rows)
        if packs
        else element("p", "No pack was loaded."),
        described(_facts(verdicts), "facts"),
        id="evidence",
    )


def _facts(verdicts: VerdictFile) -> Iterator[tuple[str, Markup]]:
    resources = sum(report.resources for report in verdicts.stacks)
    yield "Evaluated", text(f"{count(resources, 'resource')} on {count(len(verdicts.stacks), 'stack')}")
    judged = coverage_words(verdicts.stacks)
    if judged:
        yield "Judged", text(judged)
    if len(verdicts.stacks) == 1:
        (report,) = verdicts.stacks
        changes = [f"{number:,} {_VERBS.get(name, 'to ' + name)}" for name, number in report.changes]
        yield "Planned", text(", ".join(changes) or "nothing")
    yield "Engine", text(f"{sum(report.seconds for report in verdicts.stacks):,.1f} s")
    rounding = (
        "Percentages are rounded down, so that 100 % means all. A control holds when every policy that "
    )
    yield "Score", text(rounding + "answers it was evaluated and found nothing.")
    yield "Format", join([code(SCHEMA)])
