"""Markdown for a pull-request comment: the verdict first, findings to unfold, figures below."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from tapgate.assemble import count, coverage_text
from tapgate.json_access import sanitized, web_address
from tapgate.reports.controls import framework_title
from tapgate.reports.entry import (
    CATEGORIES,
    NAMES,
    Category,
    category_of,
    counts,
    guardrails_of,
    headline,
    instant,
    outcome_word,
    resource,
    source_of,
    subject,
    time_text,
    waiver_of,
)
from tapgate.reports.score import Share, score
from tapgate.reports.trend import compare

if TYPE_CHECKING:
    from jinja2 import Template

    from tapgate.reports.verdict_file import VerdictFile

# The one way that GitHub documents to keep two of them from being a formula.
DOLLAR: Final = "<span>$</span>"
_ENTITIES: Final = {ord(character): f"&#{ord(character)};" for character in "&<>`*_~[]|\\#"}
_ENTITIES[ord("$")] = DOLLAR
_BREAK: Final = "&#8203;"
# What follows is looked for after the entities are in: `#` is `&#35;` by then.
_CLICKABLE: Final = re.compile(
    r"(?:@|&\#35;(?=[0-9])|\b(?i:GH-)(?=[0-9])|:(?=//)|\b(?i:www)(?=\.)|:(?=[A-Za-z0-9+-]+:)|(?<=mailto:)|(?<=xmpp:))"
)
_BACKTICKS: Final = re.compile(r"`+")


def prose(text: str) -> str:
    """Return words for running text, a table cell or a summary."""
    return _CLICKABLE.sub(lambda match: match[0] + _BREAK, sanitized(text).translate(_ENTITIES))


def code(text: str) -> str:
    """Return an identifier or a value as a code span, which forges leave alone; empty stays empty."""
    shown = sanitized(text)
    if not shown.strip():
        return prose(shown)
    fence = "`" * (max((len(run) for run in _BACKTICKS.findall(shown)), default=0) + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def cell(text: str) -> str:
    """Return an identifier as a code span inside a table, where no span may hold a bar."""
    return prose(text) if "|" in text or "\\" in sanitized(text) else code(text)


def html_code(text: str) -> str:
    """Return an identifier as a code element inside a block of HTML."""
    return f"<code>{prose(text)}</code>"


def hyperlink(label: str, url: str) -> str:
    """Return a link, or only its label when the address is not that of a web page."""
    address = web_address(url).replace("(", "%28").replace(")", "%29").replace("*", "%2A").replace("_", "%5F")
    return f"[{prose(label)}]({address})" if address else prose(label)


def share_text(share: Share) -> str:
    """Return a share as `9 of 10 (90 %)`, and a share of nothing as none."""
    return f"{share.holds:,} of {share.of:,} ({share.percent} %)" if share.of else "none"


_CALLED: Final[tuple[Callable[..., object], ...]] = (
    *(time_text, category_of, coverage_text, framework_title, guardrails_of, headline, hyperlink),
    *(outcome_word, resource, share_text, source_of, subject, waiver_of),
)
"""What the template calls."""
LIMIT: Final = 65_000
"""Characters of a comment; GitHub refuses more than 65,536."""
_CATEGORY_MARKS: Final[Mapping[Category, str]] = {
    "violation": "❌",
    "undecided": "❔",
    "advisory": "⚠️",
    "waived": "🕓",
}


def to_markdown(verdicts: VerdictFile, *, earlier: VerdictFile | None = None, limit: int = LIMIT) -> str:
    """Write a verdict file as GitHub-flavoured Markdown.

    Args:
        verdicts: the verdicts.
        earlier: one to compare it with.
        limit: the most characters that the comment may have, at least 8,000; what does not fit is counted.
    """
    packs = sorted({(pack.name, pack.version) for one in verdicts.stacks for pack in one.packs})
    tally = counts(finding for report in verdicts.stacks for finding in report.findings)
    # A job finds its own comment again by what it is about.
    about = repr((verdicts.kind, [(one.project, one.stack) for one in verdicts.stacks][:1]))
    parts: Any = _template().make_module(
        {
            "verdicts": verdicts,
            "marker": hashlib.sha256(about.encode()).hexdigest()[:16],
            "totals": [(NAMES[category], tally[category]) for category in CATEGORIES],
            "score": score(verdicts),
            "trend": None if earlier is None else compare(earlier, verdicts),
            "packs": packs,
        }
    )
    head, tail = str(parts.head()), str(parts.tail()).removesuffix("\n")
    room = limit - len(head) - len(_left_out(10**9))
    if len(tail) > room // 2:
        tail = ""
    sections = [*_notices(verdicts), *_findings(verdicts, parts)]
    return head + _fitting(sections, room - len(tail)) + tail


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - SARIF does without

    environment = Environment(
        auto_reload=False,
        autoescape=False,  # noqa: S701 - no HTML: the filters make each text safe
        loader=FileSystemLoader(Path(__file__).parent),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(prose=prose, code=code, cell=cell, html_code=html_code, number="{:,}".format)
    known = cast("dict[str, object]", environment.globals)
    for one in _CALLED:
        known[one.__name__] = one
    return environment.get_template("comment.md.j2")


def _notices(verdicts: VerdictFile) -> Iterator[tuple[str, str]]:
    """Yield what a reader of the verdict must know first: stacks without one, and warnings."""
    for one in verdicts.unaudited:
        told = " ".join(prose(text) for text in (one.what, one.why, one.fix) if text)
        yield "", f"> **Could not be audited:** {cell(one.name)}: {told}\n"
    for note in dict.fromkeys(note for report in verdicts.stacks for note in report.notes):
        yield "", f"> **Note:** {prose(note)}\n"


def _findings(verdicts: VerdictFile, parts: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - Jinja's
    """Yield each finding's heading (of its category) and block."""
    known = verdicts.known_policies
    made = instant(verdicts.made)
    today = made.date() if made else None
    for category in CATEGORIES:
        chosen = [(one, f) for one in verdicts.stacks for f in one.findings if category_of(f) == category]
        heading = f"### {_CATEGORY_MARKS[category]} {NAMES[category]} ({len(chosen):,})\n\n"
        for report, finding in chosen:
            info, waiver = known.get((finding.pack, finding.policy)), waiver_of(finding)
            left = waiver.remaining(today) if waiver else ""
            yield heading, str(parts.block(report, finding, info, left))


def _fitting(blocks: list[tuple[str, str]], room: int) -> str:
    """Return as many entries as there is room for, and how many are left out."""
    shown: list[str] = []
    heading, used = "", 0
    for number, (title, block) in enumerate(blocks):
        text = (title if title != heading else "") + block + "\n"
        if used + len(text) > room:
            return "".join(shown) + _left_out(len(blocks) - number)
        heading, used = title, used + len(text)
        shown.append(text)
    return "".join(shown)


def _left_out(number: int) -> str:
    return f"… and {count(number, 'more entry', 'more entries')} in the full report.\n\n"
