"""The view model of the page: what its templates show, with every decision already made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tapgate.assemble import coverage_words
from tapgate.reports.controls import framework_title
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
    named,
    outcome_word,
    resource,
    subject,
)
from tapgate.reports.page.findings import (
    CategoryView,
    Stack,
    Waived,
    anchor_of,
    category_view,
    stacks_of,
    waived_of,
)
from tapgate.reports.score import MEANINGS, WORST_FIRST, Score, Share, score
from tapgate.reports.trend import Trend, compare
from tapgate.reports.verdict_file import SCHEMA

if TYPE_CHECKING:
    from tapgate.findings import Finding
    from tapgate.reports.entry import Identity
    from tapgate.reports.score import ControlScore, FrameworkScore, Status
    from tapgate.reports.trend import Figure, SharePair
    from tapgate.reports.verdict_file import Unaudited, VerdictFile


_KINDS: Final = {"preview": "Preview", "deploy": "Deployment", "audit": "Audit"}
_BEST_FIRST: Final[tuple[Status, ...]] = ("met", "waived", "undecided", "failed", "off")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time: its words for people, and the exact one, which is empty when it is none."""

    words: str
    exact: str

    @classmethod
    def of(cls, made: str) -> Moment:
        """Read a time of a verdict file."""
        at = instant(made)
        return cls(at_words(made), f"{at:%Y-%m-%dT%H:%M:%S}Z" if at else "")


@dataclass(frozen=True, slots=True)
class Card:
    """The score of a framework or pack."""

    title: str
    anchor: str
    figure: str
    parts: Sequence[tuple[str, int]]
    label: str
    words: str
    breakdown: str


@dataclass(frozen=True, slots=True)
class Framework:
    """The controls of one framework."""

    title: str
    words: str
    controls: Sequence[ControlScore]


@dataclass(frozen=True, slots=True)
class Changed:
    """One line of what changed: what it is called, before, now, and what the difference means."""

    name: str
    before: str
    now: str
    words: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A finding among the changes: what it was, if it is another one now, and what it is."""

    anchor: str
    finding: Finding
    resource: str
    stack: str
    now: Category
    before: Category | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since an earlier report."""

    since: Moment | None
    summary: str
    rows: Sequence[Changed]
    new: Sequence[Line]
    gone: Sequence[Line]
    changed: Sequence[Line]
    stacks: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the page shows."""

    title: str
    kind: str
    made: Moment | None
    subject: str
    outcome: str
    word: str
    headline: str
    tiles: Sequence[tuple[Category, str, int]]
    checks: Share
    notes: Sequence[str]
    several: bool
    cards: Sequence[Card]
    unaudited: Sequence[Unaudited]
    changes: Changes | None
    stacks: Sequence[Stack]
    by_tags: Sequence[str]
    by_none: Sequence[str]
    details: Mapping[tuple[str, str], str]
    policy_rows: Mapping[str, str]
    categories: Sequence[CategoryView]
    waived: Sequence[Waived]
    frameworks: Sequence[Framework]
    score: Score
    policy_titles: Mapping[tuple[str, str], str]
    meanings: Sequence[tuple[str, str]]
    idle: Sequence[str]
    idle_controls: Sequence[str]
    off: Sequence[str]
    packs: Sequence[tuple[str, str, str, str]]
    facts: Sequence[tuple[str, str]]
    schema: str = SCHEMA
    columns: Sequence[str] = field(default=tuple(NAMES[one] for one in CATEGORIES))


def page_of(verdicts: VerdictFile, earlier: VerdictFile | None) -> Page:
    """Return what the page of some verdicts shows."""
    figures = score(verdicts)
    found = counts(finding for report in verdicts.stacks for finding in report.findings)
    several = len(verdicts.stacks) > 1
    known = verdicts.known_policies
    stacks = stacks_of(verdicts)
    everything = [one for stack in stacks for one in stack.findings]
    categories = [category_view(verdicts, everything, one) for one in CATEGORIES if one != "waived"]
    details: dict[tuple[str, str], str] = {}
    for category in categories:
        for policy in category.policies:
            details.setdefault(policy.key, policy.anchor)
    idle = [
        f"{framework_title(one.framework)} {control.control.identifier}"
        for one in figures.frameworks
        for control in one.controls
        if control.status == "not applicable"
    ]
    return Page(
        title=f"{outcome_word(verdicts)}: {subject(verdicts)} · TAP Guardrails",
        kind=_KINDS[verdicts.kind],
        made=Moment.of(verdicts.made) if verdicts.made else None,
        subject=subject(verdicts),
        outcome=verdicts.outcome,
        word=outcome_word(verdicts),
        headline=headline(verdicts),
        tiles=[(one, NAMES[one], found[one]) for one in CATEGORIES],
        checks=figures.checks,
        notes=list(dict.fromkeys(note for report in verdicts.stacks for note in report.notes)),
        several=several,
        cards=[*_cards(figures, stacks=len(verdicts.stacks))],
        unaudited=verdicts.unaudited,
        changes=None if earlier is None else _changes(compare(earlier, verdicts), verdicts),
        stacks=stacks if len(stacks) != 1 else [],
        by_tags=stacks[0].by_tags if len(stacks) == 1 else [],
        by_none=stacks[0].by_none if len(stacks) == 1 else [],
        details=details,
        policy_rows={one.policy: f"policy-{number}" for number, one in enumerate(figures.policies, 1)},
        categories=categories,
        waived=[*waived_of(verdicts, everything)],
        frameworks=[_framework(one) for one in figures.frameworks],
        score=figures,
        policy_titles={key: info.title for key, info in known.items()},
        meanings=[(word, MEANINGS[word]) for word in WORST_FIRST],
        idle=[one.policy for one in figures.policies if one.status == "not applicable"],
        idle_controls=idle,
        off=[one.policy for one in figures.policies if one.status == "off"],
        packs=sorted(
            {(one.name, one.version, one.path, one.config) for r in verdicts.stacks for one in r.packs}
        ),
        facts=[*_facts(verdicts)],
    )


def share_words(share: Share, noun: str) -> str:
    """Say a share in words: `9 of 11 controls hold`."""
    return f"{share.holds:,} of {share.of:,} {noun}" if share.of else f"no {noun}"


def percent(share: Share) -> str:
    """Write a share's percentage; of nothing there is none."""
    return "none" if share.percent is None else f"{share.percent} %"


def _cards(figures: Score, *, stacks: int) -> Iterator[Card]:
    """Yield a card a framework; without any, one a pack."""
    noun = "controls hold" if stacks == 1 else "hold, each control once a stack"
    for number, framework in enumerate(figures.frameworks):
        words = share_words(framework.share, noun)
        title = framework_title(framework.framework)
        yield _card(
            title, f"framework-{number}", framework.share, framework.counts(), f"{title}: {words}", words
        )
    if figures.frameworks:
        return
    for pack in sorted({one.pack for one in figures.policies}):
        mine = [one for one in figures.policies if one.pack == pack]
        by: dict[Status, int] = {word: sum(one.status == word for one in mine) for word in WORST_FIRST}
        share = Share(by["met"], len(mine) - by["not applicable"])
        words = share_words(share, "policies hold")
        yield _card(named(pack, "Policies"), "", share, by, words, words)


def _card(title: str, anchor: str, share: Share, by: Mapping[Status, int], label: str, words: str) -> Card:
    breakdown = ", ".join(f"{by[word]:,} {word}" for word in WORST_FIRST if word != "met" and by[word])
    return Card(
        title, anchor, percent(share), [(word, by[word]) for word in _BEST_FIRST], label, words, breakdown
    )


def _framework(one: FrameworkScore) -> Framework:
    return Framework(framework_title(one.framework), share_words(one.share, "hold"), one.controls)


def _changes(trend: Trend, verdicts: VerdictFile) -> Changes:
    several = len(verdicts.stacks) != 1

    def line(found: tuple[Identity, Finding], before: Finding | None = None) -> Line:
        identity, finding = found
        stack = f" ({identity.project} / {identity.stack})" if several else ""
        return Line(
            anchor_of(identity),
            finding,
            resource(finding),
            stack,
            category_of(finding),
            category_of(before) if before else None,
        )

    return Changes(
        since=Moment.of(trend.since) if trend.since else None,
        summary=f"{count(len(trend.new), 'new finding')}, {len(trend.gone):,} gone, {len(trend.changed):,} "
        "changed. Findings are compared on the stacks that both reports have; the table counts all stacks of "
        "each.",
        rows=[*map(_figure, trend.figures), *map(_share, trend.shares)],
        new=[line(one) for one in trend.new],
        gone=[line(one) for one in trend.gone],
        changed=[line((identity, now), before) for identity, before, now in trend.changed],
        stacks=[
            ("Stacks that are new in this report", [f"{a} / {b}" for a, b in trend.stacks_added]),
            ("Stacks that this report no longer has", [f"{a} / {b}" for a, b in trend.stacks_left]),
        ],
    )


def _figure(one: Figure) -> Changed:
    difference = one.now - one.before
    words, status = f"{difference:+,}", ""
    if not difference:
        words = "no change"
    elif one.name != NAMES["waived"] and one.fewer_is_better:
        words, status = (f"{words} better", "met") if difference < 0 else (f"{words} worse", "failed")
    return Changed(one.name, f"{one.before:,}", f"{one.now:,}", words, status)


def _share(pair: SharePair) -> Changed:
    name = framework_title(pair.name) if pair.name else "Checks passed"
    words, status = "cannot be compared", ""
    if pair.before.percent is not None and pair.now.percent is not None:
        # Compared exactly: two shares may round to the same percentage.
        before, now = pair.before.holds * pair.now.of, pair.now.holds * pair.before.of
        words, status = (
            ("no change", "") if before == now else ("better", "met") if now > before else ("worse", "failed")
        )
    return Changed(name, percent(pair.before), percent(pair.now), words, status)


def _facts(verdicts: VerdictFile) -> Iterator[tuple[str, str]]:
    resources = sum(report.resources for report in verdicts.stacks)
    yield "Evaluated", f"{count(resources, 'resource')} on {count(len(verdicts.stacks), 'stack')}"
    coverage = coverage_words(verdicts.stacks)
    if coverage:
        yield "Coverage", coverage
    for words in guardrails_of(verdicts):
        yield "Guardrails", words
    if len(verdicts.stacks) == 1:
        (report,) = verdicts.stacks
        verbs = {"same": "unchanged"}
        changes = [f"{number:,} {verbs.get(name, 'to ' + name)}" for name, number in report.changes]
        yield "Planned", ", ".join(changes) or "nothing"
    boxes = sorted({report.sandbox for report in verdicts.stacks if report.sandbox})
    if boxes:
        yield "Sandbox", "; ".join(boxes)
    yield "Engine", f"{sum(report.seconds for report in verdicts.stacks):,.1f} s"
    rounding = (
        "Percentages are rounded down, so that 100 % means all. A control holds when every policy that "
        "answers it was evaluated and found nothing."
    )
    yield "Score", rounding
