"""The sections that say how things stand: frameworks, controls, policies, and what was not judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tapgate.reports.controls import framework_title
from tapgate.reports.page.drawing import badge, bar, percent, share_words
from tapgate.reports.page.elements import Markup, code, described, element, join, table, text
from tapgate.reports.score import Share
from tapgate.reports.standing import MEANINGS, WORST_FIRST
from tapgate.reports.wording import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tapgate.reports.score import ControlScore, FrameworkScore, PolicyScore, Score
    from tapgate.reports.standing import Standing
    from tapgate.reports.verdict_file import VerdictFile

_BEST_FIRST: Final[tuple[Standing, ...]] = ("met", "waived", "undecided", "failed", "off")


def score_cards(score: Score, *, stacks: int) -> Markup:
    """Return a card a framework; without any, one a pack."""
    cards = [_framework_card(*one, stacks=stacks) for one in enumerate(score.frameworks)]
    cards = cards or [*_pack_cards(score)]
    if not cards:
        return Markup()
    return element("ul", *cards, class_="cards")


def _framework_card(number: int, framework: FrameworkScore, *, stacks: int) -> Markup:
    share = framework.share
    words = share_words(share, "controls hold" if stacks == 1 else "hold, each control once a stack")
    title = framework_title(framework.framework)
    counts = framework.counts()
    return element(
        "li",
        element("h3", element("a", title, href=f"#framework-{number}")),
        element("p", percent(share), class_="figure"),
        bar(((word, counts[word]) for word in _BEST_FIRST), f"{title}: {words}"),
        element("p", words, element("br"), _breakdown(counts), class_="small"),
        class_="card",
    )


def _pack_cards(score: Score) -> Iterator[Markup]:
    for pack in sorted({one.pack for one in score.policies}):
        mine = [one for one in score.policies if one.pack == pack]
        counts: dict[Standing, int] = {
            word: sum(one.standing == word for one in mine) for word in WORST_FIRST
        }
        share = Share(counts["met"], len(mine) - counts["not applicable"])
        words = share_words(share, "policies hold")
        yield element(
            "li",
            element("h3", named(pack, "Policies")),
            element("p", percent(share), class_="figure"),
            bar(((word, counts[word]) for word in _BEST_FIRST), words),
            element("p", words, element("br"), _breakdown(counts), class_="small"),
            class_="card",
        )


def _breakdown(counts: Mapping[Standing, int]) -> str:
    """Say what does not hold, so that the bar's colours are not alone in saying it."""
    return ", ".join(f"{counts[word]:,} {word}" for word in WORST_FIRST if word != "met" and counts[word])


def frameworks_section(score: Score, *, several: bool) -> Markup:
    """Return the section of controls, a table a framework."""
    if not score.frameworks:
        body = [
            element(
                "p",
                "The packs name no controls of published frameworks, or their descriptions were not at hand. "
                "The policies below are complete all the same.",
            )
        ]
    else:
        body = [_framework(number, one, several=several) for number, one in enumerate(score.frameworks)]
    return element("section", element("h2", "Controls by framework"), *body, id="controls")


def _framework(number: int, framework: FrameworkScore, *, several: bool) -> Markup:
    title = framework_title(framework.framework)
    columns = ["Control", "Standing", *(["#Stacks where it holds"] if several else []), "Policies"]
    rows = (_control(one, several=several) for one in framework.controls)
    return element(
        "section",
        element("h3", f"{title} ", element("span", share_words(framework.share, "hold"), class_="tally")),
        table(f"Controls of {title}", columns, rows, "even"),
        id=f"framework-{number}",
    )


def _control(one: ControlScore, *, several: bool) -> Iterator[Markup]:
    yield text(one.control.identifier)
    yield badge(one.standing)
    if several:
        yield text(f"{one.share.holds:,} of {one.share.of:,}")
    yield join((code(policy) for policy in one.policies), " ")


def policies_section(verdicts: VerdictFile, score: Score) -> Markup:
    """Return the section with every policy and its counts."""
    known = verdicts.known_policies
    several = len(verdicts.stacks) > 1
    columns = [
        "Policy", "Standing", "#Passed", "#Failed", "#Not applicable",
        *(["#Stacks affected"] if several else []),
    ]  # fmt: skip
    rows = (
        _policy(one, _title(known.get((one.pack, one.policy))), several=several) for one in score.policies
    )
    body = (
        table("Policies and their checks", columns, rows)
        if score.policies
        else element("p", "No policy was evaluated.")
    )
    note = (
        "Passed and failed count resources; a policy about the whole stack counts one a stack. "
        "Not applicable counts resources that the policy is not about."
    )
    return element(
        "section",
        element("h2", "Policies"),
        element("p", note, class_="lead"),
        body,
        element("h3", "What the words mean"),
        described(((word, text(MEANINGS[word])) for word in WORST_FIRST), "facts"),
        id="policies",
    )


def _title(info: object) -> str:
    return str(getattr(info, "title", ""))


def _policy(one: PolicyScore, title: str, *, several: bool) -> Iterator[Markup]:
    yield join([code(one.policy), element("small", title)] if title else [code(one.policy)], " ")
    yield badge(one.standing)
    yield text(f"{one.passed:,}")
    yield text(f"{one.failed:,}")
    yield text(f"{one.not_applicable:,}")
    if several:
        yield text(f"{one.affected:,} of {one.stacks:,}")


def not_judged_section(score: Score) -> Markup:
    """Return the section of what was not applicable, and of what was turned off."""
    idle = [one for one in score.policies if one.standing == "not applicable"]
    off = [one for one in score.policies if one.standing == "off"]
    controls = [
        (framework.framework, one)
        for framework in score.frameworks
        for one in framework.controls
        if one.standing == "not applicable"
    ]
    return element(
        "section",
        element("h2", "Not applicable"),
        element(
            "p",
            "Neither good nor bad: there was nothing to judge. These count in no percentage.",
            class_="lead",
        ),
        _names("Policies without a resource to judge", (one.policy for one in idle)),
        _names(
            "Controls without a resource to judge",
            (f"{framework_title(name)} {one.control.identifier}" for name, one in controls),
        ),
        element("h3", "Turned off"),
        _list((one.policy for one in off), "No policy is turned off."),
        id="not-applicable",
    )


def _names(title: str, names: Iterable[str]) -> Markup:
    return join([element("h3", title), _list(names, "None.")])


def _list(names: Iterable[str], nothing: str) -> Markup:
    items = [element("li", code(name)) for name in names]
    return element("ul", *items, class_="names") if items else element("p", nothing)
