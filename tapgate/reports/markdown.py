"""Markdown for a pull-request comment: the verdict first, findings to unfold, figures below."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from tapgate.assemble import coverage_words
from tapgate.json_access import sanitized, web_address
from tapgate.reports.controls import PolicyInfo, framework_title
from tapgate.reports.entry import (
    CATEGORIES,
    NAMES,
    Category,
    at_words,
    category_of,
    count,
    counts,
    guardrails_of,
    headline,
    instant,
    outcome_word,
    resource,
    source_of,
    subject,
    waiver_of,
)
from tapgate.reports.score import Score, Share, score
from tapgate.reports.trend import Trend, compare

if TYPE_CHECKING:
    from datetime import date

    from tapgate.findings import Finding, Report
    from tapgate.reports.verdict_file import VerdictFile

# The one way that GitHub documents to keep two of them from being a formula.
DOLLAR: Final = "<span>$</span>"
_ENTITIES: Final = {ord(character): f"&#{ord(character)};" for character in "&<>`*_~[]|\\#"}
_ENTITIES[ord("$")] = DOLLAR
_BREAK: Final = "&#8203;"
# What follows is looked for after the entities are in: `#` is `&#35;` by then.
_LIVE: Final = re.compile(
    r"(?:@|&\#35;(?=[0-9])|\b(?i:GH-)(?=[0-9])|:(?=//)|\b(?i:www)(?=\.)|:(?=[A-Za-z0-9+-]+:)|(?<=mailto:)|(?<=xmpp:))"
)
_BACKTICKS: Final = re.compile(r"`+")


def prose(text: str) -> str:
    """Return words for running text, a table cell or a summary."""
    return _LIVE.sub(lambda match: match[0] + _BREAK, sanitized(text).translate(_ENTITIES))


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


LIMIT: Final = 65_000
"""Characters of a comment; GitHub refuses more than 65,536."""
_MARKS: Final = {"passed": "✅", "blocked": "❌", "could-not-run": "⚠️"}
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
    figures = score(verdicts)
    head = "\n".join([_marker(verdicts), *_head(verdicts, figures)])
    tail = "\n".join(_tail(verdicts, figures, earlier))
    room = limit - len(head) - len(_left_out(10**9))
    if len(tail) > room // 2:
        tail = ""
    return head + _fitting([*_notices(verdicts), *_findings(verdicts)], room - len(tail)) + tail


def _marker(verdicts: VerdictFile) -> str:
    """Return an invisible line by which a job finds its own comment again."""
    about = repr((verdicts.kind, [(one.project, one.stack) for one in verdicts.stacks][:1]))
    return f"<!-- tap-guardrails:{hashlib.sha256(about.encode()).hexdigest()[:16]} -->"


def _head(verdicts: VerdictFile, figures: Score) -> Iterator[str]:
    what = prose(subject(verdicts)[:200])
    yield f"## {_MARKS[verdicts.outcome]} TAP Guardrails: {outcome_word(verdicts).lower()} · {what}"
    yield ""
    yield prose(headline(verdicts))
    coverage = coverage_words(verdicts.stacks)
    if coverage:
        yield f"Coverage: {prose(coverage)}."
    for one in dict.fromkeys(report.sandbox for report in verdicts.stacks if report.sandbox):
        yield f"Sandbox: {prose(one)}."
    yield ""
    found = counts(finding for report in verdicts.stacks for finding in report.findings)
    yield "| " + " | ".join([*(NAMES[category] for category in CATEGORIES), "Checks passed"]) + " |"
    yield "|" + "--:|" * (len(CATEGORIES) + 1)
    yield (
        "| "
        + " | ".join([*(f"{found[category]:,}" for category in CATEGORIES), share_words(figures.checks)])
        + " |"
    )
    yield ""
    yield ""


def share_words(share: Share) -> str:
    """Return a share as `9 of 10 (90 %)`, and a share of nothing as none."""
    return f"{share.holds:,} of {share.of:,} ({share.percent} %)" if share.of else "none"


def _notices(verdicts: VerdictFile) -> Iterator[tuple[str, str]]:
    """Yield what a reader of the verdict must know first: stacks without one, and warnings."""
    for one in verdicts.unaudited:
        words = " ".join(prose(part) for part in (one.what, one.why, one.fix) if part)
        yield "", f"> **Could not be audited:** {cell(one.name)}: {words}\n"
    for note in dict.fromkeys(note for report in verdicts.stacks for note in report.notes):
        yield "", f"> **Note:** {prose(note)}\n"


def _findings(verdicts: VerdictFile) -> Iterator[tuple[str, str]]:
    """Yield each finding's heading (of its category) and block."""
    known = verdicts.known_policies
    made = instant(verdicts.made)
    today = made.date() if made else None
    several = len(verdicts.stacks) > 1
    for category in CATEGORIES:
        chosen = [(one, f) for one in verdicts.stacks for f in one.findings if category_of(f) == category]
        heading = f"### {_CATEGORY_MARKS[category]} {NAMES[category]} ({len(chosen):,})\n\n"
        for report, finding in chosen:
            info = known.get((finding.pack, finding.policy))
            yield heading, "\n".join(_block(report if several else None, finding, info, today)) + "\n"


def _block(
    report: Report | None, finding: Finding, info: PolicyInfo | None, today: date | None
) -> Iterator[str]:
    about = " · ".join(
        part
        for part in (
            html_code(finding.policy),
            prose(finding.severity),
            prose(f"{report.project} / {report.stack}") if report else "",
            "does not block" if category_of(finding) == "undecided" and not finding.blocks else "",
            "the rule failed" if finding.verdict == "error" else "",
        )
        if part
    )
    summary = prose(finding.summary) or "A finding without any text."
    yield f"<details><summary><b>{html_code(resource(finding))}</b>: {summary} · {about}</summary>"
    yield ""
    for label, value in _fields(finding, today):
        yield f"- **{label}:** {value}"
    if info is not None and hyperlink("documentation", info.url) != "documentation":
        yield f"- **Read more:** {hyperlink('documentation', info.url)}"
    yield ""
    yield "</details>"


def _fields(finding: Finding, today: date | None) -> Iterator[tuple[str, str]]:
    waiver = waiver_of(finding)
    pairs = [
        ("Type", code(finding.type)),
        ("Program", code(source_of(finding))),
        ("Property", code(finding.property_path)),
        ("Found", code(finding.found)),
        ("Required", code(finding.required)),
        ("Why", prose(finding.why or finding.description)),
        ("Fix", prose(finding.fix)),
    ]
    if waiver is not None:
        left = waiver.remaining(today)
        expires = prose(waiver.expires) + (f" ({left})" if left else "")
        pairs += [("Reason", prose(waiver.reason)), ("Owner", prose(waiver.owner)), ("Expires", expires)]
    return ((label, value) for label, value in pairs if value)


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


def _tail(verdicts: VerdictFile, figures: Score, earlier: VerdictFile | None) -> Iterator[str]:
    if earlier is not None:
        yield from _trend(compare(earlier, verdicts))
    if figures.frameworks:
        yield "<details><summary>Score by framework</summary>\n"
        yield "| Framework | Controls that hold |\n|---|--:|"
        for one in figures.frameworks:
            yield f"| {prose(framework_title(one.framework))} | {share_words(one.share)} |"
        yield "\n</details>\n"
    if figures.policies:
        yield "<details><summary>All policies</summary>\n"
        yield "| Policy | Status | Passed | Failed | Not applicable |\n|---|---|--:|--:|--:|"
        for one in figures.policies:
            numbers = f"{one.passed:,} | {one.failed:,} | {one.not_applicable:,}"
            yield f"| {cell(one.policy)} | {one.status} | {numbers} |"
        yield "\n</details>\n"
    packs = sorted({(pack.name, pack.version) for one in verdicts.stacks for pack in one.packs})
    for words in guardrails_of(verdicts):
        yield f"<sub>Guardrails: {prose(words)}</sub>\n"
    if packs:
        yield "<sub>" + ", ".join(prose(f"{name} {version}".strip()) for name, version in packs) + "</sub>"


def _trend(trend: Trend) -> Iterator[str]:
    since = f" (since {prose(at_words(trend.since))})" if trend.since else ""
    yield f"<details><summary>Compared with the earlier report{since}: {_changes(trend)}</summary>\n"
    yield "| | Before | Now |\n|---|--:|--:|"
    yield from (f"| {one.name} | {one.before:,} | {one.now:,} |" for one in trend.figures)
    for pair in trend.shares:
        name = prose(framework_title(pair.name)) if pair.name else "Checks passed"
        yield f"| {name} | {share_words(pair.before)} | {share_words(pair.now)} |"
    yield ""
    yield from _listed("New", (finding for _, finding in trend.new))
    yield from _listed("Gone", (finding for _, finding in trend.gone))
    yield "\n</details>\n"


def _changes(trend: Trend) -> str:
    return f"{len(trend.new):,} new, {len(trend.gone):,} gone, {len(trend.changed):,} changed"


def _listed(word: str, findings: Iterable[Finding]) -> Iterator[str]:
    chosen = list(findings)
    for finding in chosen[:20]:
        summary = prose(finding.summary)
        yield f"- {word}: {code(resource(finding))} {summary} ({code(finding.policy) or 'policy'})"
    if len(chosen) > 20:
        yield f"- … and {len(chosen) - 20:,} more"
