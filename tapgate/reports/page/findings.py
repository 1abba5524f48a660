"""The sections of findings: one a sort, in it one block a policy, in that one entry a finding."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from tapgate.json_access import plain
from tapgate.reports.controls import framework_title
from tapgate.reports.identity import Identity, identified
from tapgate.reports.page.drawing import badge, colour, mark
from tapgate.reports.page.elements import Markup, code, described, element, join, link, prose, text, when
from tapgate.reports.sorts import NAMES, Sort, sort_of
from tapgate.reports.wording import count, named, place, resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tapgate.findings import Finding
    from tapgate.reports.controls import Control, PolicyInfo
    from tapgate.reports.verdict_file import VerdictFile

Found = tuple[Identity, "Finding"]

SHOWN: Final = 10
"""Findings of one policy that are open from the start; further ones unfold."""
_LEADS: Final[Mapping[Sort, str]] = {
    "violation": "Violations of mandatory policies. They stop the deployment until repaired or waived.",
    "undecided": "What could not be decided: a value is only known after deployment, or the rule itself "
    "failed. Under a mandatory policy that stops the deployment as a violation does.",
    "advisory": "Policies that advise. They stop nothing.",
}
_NONE: Final[Mapping[Sort, str]] = {
    "violation": "No mandatory policy is violated.",
    "undecided": "Every policy could be decided.",
    "advisory": "No advice.",
}


def findings_section(verdicts: VerdictFile, sort: Sort) -> Markup:
    """Return the section of one sort of findings."""
    groups: defaultdict[tuple[str, str], list[Found]] = defaultdict(list)
    for report in verdicts.stacks:
        for identity, finding in identified(report):
            if sort_of(finding) == sort:
                groups[finding.pack, finding.policy].append((identity, finding))
    total = sum(map(len, groups.values()))
    heading = element("h2", mark(sort), f"{NAMES[sort]} ", element("span", f"{total:,}", class_="tally"))
    known = verdicts.known_policies
    several = len(verdicts.stacks) > 1
    ordered = sorted(groups, key=lambda key: _order(key, groups[key]))
    blocks = [_policy(known.get(key), groups[key], several=several) for key in ordered]
    body = [element("p", _LEADS[sort], class_="lead"), *blocks] if groups else [element("p", _NONE[sort])]
    return element("section", heading, *body, id=sort, class_=f"findings {colour(sort)}")


_SEVERITIES: Final = ("critical", "high", "medium", "low")


def _order(key: tuple[str, str], found: Sequence[Found]) -> tuple[int, int, tuple[str, str]]:
    """Sort key of policies: the gravest first, then the most frequent, then by name."""
    severity = found[0][1].severity
    grave = _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)
    return grave, -len(found), key


def _policy(info: PolicyInfo | None, found: Sequence[Found], *, several: bool) -> Markup:
    first = found[0][1]
    title = named(info.title if info else "", first.policy, "Unnamed policy")
    whys = {finding.why or finding.description for _, finding in found}
    fixes = {finding.fix for _, finding in found}
    why, fix = _only(whys), _only(fixes)
    entries = [
        _entry(
            identity,
            finding,
            several=several,
            why=finding.why if not why else "",
            fix=finding.fix if not fix else "",
        )
        for identity, finding in found
    ]
    return element(
        "article",
        element("h3", title),
        _about(info, first),
        when(why, element("p", prose(why), class_="why")),
        when(fix, element("p", element("strong", "How to fix it. "), prose(fix), class_="fix")),
        _entries(entries),
        class_="policy",
    )


def _only(words: set[str]) -> str:
    """Return what all findings say alike, or nothing."""
    return next(iter(words)) if len(words) == 1 else ""


def _about(info: PolicyInfo | None, finding: Finding) -> Markup:
    severity = finding.severity or (info.severity if info else "")
    controls = info.controls if info else ()
    parts = [
        when(severity, element("span", f"{severity} severity", class_="chip strong")),
        element("span", code(finding.policy), class_="chip"),
        *(_controls_chip(name, controls) for name in dict.fromkeys(one.framework for one in controls)),
        when(info and link("", info.url) != "", element("span", link("Read more", info.url if info else ""))),
    ]
    return element("p", join(parts, " "), class_="about")


def _controls_chip(framework: str, controls: Sequence[Control]) -> Markup:
    identifiers = [element("b", one.identifier) for one in controls if one.framework == framework]
    return element("span", f"{framework_title(framework)} ", join(identifiers, ", "), class_="chip")


def _entries(entries: Sequence[Markup]) -> Markup:
    shown = element("ul", *entries[:SHOWN], class_="entries")
    rest = entries[SHOWN:]
    if not rest:
        return shown
    more = element("summary", count(len(rest), "more finding"))
    return join([shown, element("details", more, element("ul", *rest, class_="entries"), class_="more")])


def _entry(identity: Identity, finding: Finding, *, several: bool, why: str, fix: str) -> Markup:
    about = [
        ("Stack", text(f"{identity.project} / {identity.stack}") if several else Markup()),
        ("Program", when(finding.location, code(place(finding)))),
        ("Property", when(finding.property_path, code(finding.property_path))),
        ("Found", when(finding.found, code(finding.found, "found"))),
        ("Required", when(finding.required, code(finding.required, "required"))),
    ]
    words = [("Why", prose(why)), ("Fix", prose(fix))]
    return element(
        "li",
        element(
            "p",
            element("b", code(resource(finding))),
            " ",
            prose(finding.summary),
            " ",
            _flags(finding),
            class_="what",
        ),
        described(about, "columned"),
        described(words, "facts"),
        _origin(finding),
    )


def _flags(finding: Finding) -> Markup:
    """Say what the section's title does not."""
    flags = [
        when(finding.verdict == "error", badge("undecided", "the rule failed")),
        when(finding.verdict == "waived" and finding.blocks, badge("waived", "waived, and still blocking")),
        when(sort_of(finding) == "undecided" and finding.blocks, badge("violation", "blocks")),
        when(sort_of(finding) == "undecided" and not finding.blocks, badge("advisory", "does not block")),
    ]
    return join((flag for flag in flags if flag), " ")


def _origin(finding: Finding) -> Markup:
    pairs = [
        ("URN", code(finding.urn)),
        ("Type", when(finding.type, code(finding.type))),
        ("Pack", text(finding.pack)),
        ("Level", text(finding.level)),
        ("About", prose(finding.description)),
        *((plain(key), text(value)) for key, value in finding.more),
    ]
    return element("details", element("summary", "Resource and policy"), described(pairs, "facts"))
