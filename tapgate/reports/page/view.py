"""What the page's templates show: figures, and the findings in the order in which a reader needs them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from tapgate.assemble import count, coverage_text
from tapgate.findings import severity_rank
from tapgate.reports.controls import framework_title
from tapgate.reports.entry import (
    CATEGORIES,
    NAMES,
    SOON,
    Category,
    Identity,
    Waiver,
    category_of,
    counts,
    guardrails_of,
    identified,
    instant,
    named,
    waiver_of,
)
from tapgate.reports.score import MEANINGS, WORST_FIRST, Score, Share, Status, score
from tapgate.reports.trend import Trend, compare
from tapgate.reports.verdict_file import SCHEMA, VerdictFile

if TYPE_CHECKING:
    from tapgate.findings import Finding, Report

_BEST_FIRST: Final[tuple[Status, ...]] = ("met", "waived", "undecided", "failed", "off")


class Anchored(NamedTuple):
    """One finding, and the anchors of its full account and of its stack's section."""

    anchor: str
    stack: str
    identity: Identity
    finding: Finding


def page_of(verdicts: VerdictFile, earlier: VerdictFile | None) -> dict[str, object]:
    """Return what the page of some verdicts shows besides the verdicts themselves."""
    figures = score(verdicts)
    total = counts(finding for report in verdicts.stacks for finding in report.findings)
    stacks = _stacks(verdicts)
    anchored = [one for _, _, findings in stacks for one in findings]
    policies = {one: _policies(verdicts, anchored, one) for one in CATEGORIES if one != "waived"}
    idle = [
        f"{framework_title(one.framework)} {control.control.identifier}"
        for one in figures.frameworks
        for control in one.controls
        if control.status == "not applicable"
    ]
    details: dict[object, object] = {}
    for policy in (one for listed in policies.values() for one in listed):
        details.setdefault(policy["key"], policy["anchor"])
    return {
        "several": len(verdicts.stacks) > 1,
        "tiles": [(one, NAMES[one], total[one]) for one in CATEGORIES],
        "score": figures,
        "notes": list(dict.fromkeys(note for report in verdicts.stacks for note in report.notes)),
        "cards": [*_cards(figures, stacks=len(verdicts.stacks))],
        "trend": None if earlier is None else compare(earlier, verdicts),
        "stacks": stacks if len(stacks) != 1 else [],
        "single": verdicts.stacks[0] if len(stacks) == 1 else None,
        "policies": policies,
        "details": details,
        "rows": {one.policy: f"policy-{number}" for number, one in enumerate(figures.policies, 1)},
        "known": verdicts.known_policies,
        "waived": _waived(verdicts, anchored),
        "idle_controls": idle,
        "meanings": [*MEANINGS.items()],
        "packs": sorted(
            {(one.name, one.version, one.path, one.config) for r in verdicts.stacks for one in r.packs}
        ),
        "facts": [*_facts(verdicts)],
        "schema": SCHEMA,
    }


def anchor_of(identity: Identity) -> str:
    """Return a finding's anchor, which is the same in the next report: a link to a finding can be kept."""
    return f"finding-{identity.fingerprint[:16]}"


def _stacks(verdicts: VerdictFile) -> list[tuple[str, Report, list[Anchored]]]:
    """Return each stack with its anchor and its findings, the one with the most blocking ones first."""

    def order(report: Report) -> tuple[int, str, str]:
        return -sum(finding.blocks for finding in report.findings), report.project, report.stack

    uses: Counter[str] = Counter()
    stacks: list[tuple[str, Report, list[Anchored]]] = []
    for number, report in enumerate(sorted(verdicts.stacks, key=order), 1):
        stack = f"stack-{number}"
        anchored: list[Anchored] = []
        for identity, finding in identified(report):
            name = anchor_of(identity)
            uses[name] += 1
            anchored.append(
                Anchored(name if uses[name] == 1 else f"{name}-{uses[name]}", stack, identity, finding)
            )
        anchored.sort(key=lambda one: CATEGORIES.index(category_of(one.finding)))
        stacks.append((stack, report, anchored))
    return stacks


def _policies(
    verdicts: VerdictFile, anchored: Sequence[Anchored], category: Category
) -> list[dict[str, object]]:
    """Return a category's findings by policy: the gravest first, then the most frequent, then by name."""
    groups: defaultdict[tuple[str, str], list[Anchored]] = defaultdict(list)
    for one in anchored:
        if category_of(one.finding) == category:
            groups[one.finding.pack, one.finding.policy].append(one)

    def order(key: tuple[str, str]) -> tuple[int, int, tuple[str, str]]:
        return severity_rank(groups[key][0].finding.severity), -len(groups[key]), key

    known = verdicts.known_policies
    policies: list[dict[str, object]] = []
    for number, key in enumerate(sorted(groups, key=order), 1):
        info, findings = known.get(key), [one.finding for one in groups[key]]
        severity = info.severity if info else ""
        controls: defaultdict[str, list[str]] = defaultdict(list)
        for control in info.controls if info else ():
            controls[control.framework].append(control.identifier)
        policies.append(
            {
                "anchor": f"{category}-{number}",
                "key": key,
                "name": key[1],
                "title": named(info.title if info else "", key[1], "Unnamed policy"),
                "severity": findings[0].severity or severity,
                "controls": controls,
                "url": info.url if info else "",
                "why": _only({one.why or one.description for one in findings}),
                "fix": _only({one.fix for one in findings}),
                "findings": groups[key],
            }
        )
    return policies


def _only(names: set[str]) -> str:
    """Return what all findings say alike, or nothing."""
    return next(iter(names)) if len(names) == 1 else ""


def flags(finding: Finding) -> Iterator[tuple[str, str]]:
    """Yield what the section's title does not say of a finding, each with what gives it its colours."""
    if finding.verdict == "error":
        yield "undecided", "the rule failed"
    if finding.verdict == "waived" and finding.blocks:
        yield "waived", "waived, and still blocking"
    if category_of(finding) == "undecided":
        yield ("violation", "blocks") if finding.blocks else ("advisory", "does not block")


def _waived(verdicts: VerdictFile, anchored: Sequence[Anchored]) -> list[tuple[Anchored, Waiver, str, str]]:
    """Return what is waived, until when in words, and how urgent that is: what expires first comes first."""
    made = instant(verdicts.made)
    today = made.date() if made else None
    rows: list[tuple[int, Anchored, Waiver, str, str]] = []
    for one in anchored:
        waiver = waiver_of(one.finding)
        if waiver is not None and category_of(one.finding) == "waived":
            days, due = waiver.days_left(today), waiver.days_left(date.min)
            urgent = "" if days is None or days > SOON else "violation" if days < 0 else "advisory"
            last = date.max.toordinal() if due is None else due
            rows.append((last, one, waiver, waiver.remaining(today), urgent))
    return [row[1:] for row in sorted(rows, key=lambda row: (row[0], row[1].identity))]


def share_text(share: Share, noun: str) -> str:
    """Say a share in words: `9 of 11 controls hold`."""
    return f"{share.holds:,} of {share.of:,} {noun}" if share.of else f"no {noun}"


def _percent(share: Share) -> str:
    return "none" if share.percent is None else f"{share.percent} %"


def _cards(figures: Score, *, stacks: int) -> Iterator[dict[str, object]]:
    """Yield a card a framework; without any, one a pack."""
    noun = "controls hold" if stacks == 1 else "hold, each control once a stack"
    for number, framework in enumerate(figures.frameworks):
        title, caption = framework_title(framework.framework), share_text(framework.share, noun)
        card = _card(title, framework.share, framework.counts(), caption)
        yield {**card, "anchor": f"framework-{number}", "label": f"{title}: {caption}"}
    if figures.frameworks:
        return
    for pack in sorted({one.pack for one in figures.policies}):
        mine = [one for one in figures.policies if one.pack == pack]
        by: dict[Status, int] = {word: sum(one.status == word for one in mine) for word in WORST_FIRST}
        share = Share(by["met"], len(mine) - by["not applicable"])
        yield _card(named(pack, "Policies"), share, by, share_text(share, "policies hold"))


def _card(title: str, share: Share, by: Mapping[Status, int], caption: str) -> dict[str, object]:
    return {
        "title": title,
        "anchor": "",
        "figure": _percent(share),
        "parts": [(word, by[word]) for word in _BEST_FIRST],
        "label": caption,
        "words": caption,
        "breakdown": ", ".join(f"{by[word]:,} {word}" for word in WORST_FIRST if word != "met" and by[word]),
    }


def changes(trend: Trend) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield figures before and now: name, both, what the difference means, and the status that it is like."""
    for one in trend.figures:
        difference = one.now - one.before
        shown, status = f"{difference:+,}", ""
        if not difference:
            shown = "no change"
        elif one.name != NAMES["waived"] and one.fewer_is_better:
            shown, status = (f"{shown} better", "met") if difference < 0 else (f"{shown} worse", "failed")
        yield one.name, f"{one.before:,}", f"{one.now:,}", shown, status
    for pair in trend.shares:
        name = framework_title(pair.name) if pair.name else "Checks passed"
        shown, status = "cannot be compared", ""
        if pair.before.percent is not None and pair.now.percent is not None:
            # Compared exactly: two shares may round to the same percentage.
            before, now = pair.before.holds * pair.now.of, pair.now.holds * pair.before.of
            shown = "no change" if before == now else "better" if now > before else "worse"
            status = {"better": "met", "worse": "failed"}.get(shown, "")
        yield name, _percent(pair.before), _percent(pair.now), shown, status


def _facts(verdicts: VerdictFile) -> Iterator[tuple[str, str]]:
    resources = sum(report.resources for report in verdicts.stacks)
    yield "Evaluated", f"{count(resources, 'resource')} on {count(len(verdicts.stacks), 'stack')}"
    coverage = coverage_text(verdicts.stacks)
    if coverage:
        yield "Coverage", coverage
    for fact in guardrails_of(verdicts):
        yield "Guardrails", fact
    if len(verdicts.stacks) == 1:
        (report,) = verdicts.stacks
        verbs = {"same": "unchanged"}
        changed = [f"{number:,} {verbs.get(name, 'to ' + name)}" for name, number in report.changes.items()]
        yield "Planned", ", ".join(changed) or "nothing"
    boxes = sorted({report.sandbox for report in verdicts.stacks if report.sandbox})
    if boxes:
        yield "Sandbox", "; ".join(boxes)
    yield "Engine", f"{sum(report.seconds for report in verdicts.stacks):,.1f} s"
    rounding = (
        "Percentages are rounded down, so that 100 % means all. A control holds when every policy that "
        "answers it was evaluated and found nothing."
    )
    yield "Score", rounding
