"""The section on what changed since an earlier report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapgate.reports.controls import framework_title
from tapgate.reports.page.drawing import badge, percent
from tapgate.reports.page.elements import Markup, code, element, join, table, text
from tapgate.reports.page.masthead import moment
from tapgate.reports.sorts import NAMES, sort_of
from tapgate.reports.wording import count, resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tapgate.findings import Finding
    from tapgate.reports.identity import Identity
    from tapgate.reports.trend import Figure, SharePair, Trend


def trend_section(trend: Trend, *, several: bool) -> Markup:
    """Return the section."""
    since = join([" since ", moment(trend.since)]) if trend.since else Markup()
    rows = [*map(_figure, trend.figures), *map(_share, trend.shares)]
    return element(
        "section",
        element("h2", "Changes", since),
        element("p", _summary(trend), class_="lead"),
        table("Before and now", ["What", "#Before", "#Now", "Change"], rows),
        _list("New findings", trend.new, several=several),
        _list("Findings that are gone", trend.gone, several=several),
        _changed(trend),
        _stacks("Stacks that are new in this report", trend.stacks_added),
        _stacks("Stacks that this report no longer has", trend.stacks_left),
        id="changes",
    )


def _summary(trend: Trend) -> str:
    return (
        f"{count(len(trend.new), 'new finding')}, {len(trend.gone):,} gone, {len(trend.changed):,} changed. "
        "Findings are compared on the stacks that both reports have; the table counts all stacks of each."
    )


def _figure(one: Figure) -> Iterator[Markup]:
    yield text(one.name)
    yield text(f"{one.before:,}")
    yield text(f"{one.now:,}")
    difference = one.now - one.before
    if not difference:
        yield text("no change")
    elif one.name == NAMES["waived"] or not one.fewer_is_better:
        yield text(f"{difference:+,}")
    else:
        yield badge(
            *(("met", f"{difference:+,} better") if difference < 0 else ("failed", f"{difference:+,} worse"))
        )


def _share(pair: SharePair) -> Iterator[Markup]:
    yield text(framework_title(pair.name) if pair.name else "Checks passed")
    yield text(percent(pair.before))
    yield text(percent(pair.now))
    if pair.before.percent is None or pair.now.percent is None:
        yield text("cannot be compared")
        return
    # Compared exactly: two shares may round to the same percentage.
    before, now = pair.before.holds * pair.now.of, pair.now.holds * pair.before.of
    if before == now:
        yield text("no change")
    else:
        yield badge(*(("met", "better") if now > before else ("failed", "worse")))


def _list(title: str, findings: Sequence[tuple[Identity, Finding]], *, several: bool) -> Markup:
    if not findings:
        return Markup()
    items = [element("li", _line(identity, finding, several=several)) for identity, finding in findings]
    return _folded(title, items)


def _line(identity: Identity, finding: Finding, *, several: bool) -> Markup:
    stack = f" ({identity.project} / {identity.stack})" if several else ""
    sort = sort_of(finding)
    return join(
        [badge(sort), " ", code(resource(finding)), stack, " ", finding.summary, " ", code(finding.policy)]
    )


def _changed(trend: Trend) -> Markup:
    items = [
        element(
            "li",
            code(resource(now)),
            " ",
            code(now.policy),
            " ",
            badge(sort_of(before)),
            " became ",
            badge(sort_of(now)),
        )
        for _, before, now in trend.changed
    ]
    return _folded("Findings that changed", items) if items else Markup()


def _stacks(title: str, stacks: Iterable[tuple[str, str]]) -> Markup:
    items = [element("li", f"{project} / {stack}") for project, stack in stacks]
    return _folded(title, items) if items else Markup()


def _folded(title: str, items: Sequence[Markup]) -> Markup:
    return element(
        "details",
        element("summary", f"{title} ({len(items):,})"),
        element("ul", *items, class_="lines"),
        class_="more",
    )
