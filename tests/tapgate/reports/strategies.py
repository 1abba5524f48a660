"""Any verdicts at all: every text field may hold anything that a program, a pack or a state file can name."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, TypeVar, get_args

from hypothesis import Phase, settings
from hypothesis import strategies as st

from tapgate.findings import Finding, Location, Pack, PolicyTally, Report, Verdict
from tapgate.reports.controls import PolicyInfo
from tapgate.reports.verdict_file import Command, Unaudited, VerdictFile

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")
# A document of any text takes as long as the text is, and shrinks too slowly to be waited for.
unhurried = settings(deadline=None, max_examples=40, phases=(Phase.explicit, Phase.reuse, Phase.generate))

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'/><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "</style></head><body onload=alert(1)>",
    "]]><!-- x --><![CDATA[",
    "<!--",
    "&lt;b&gt;&#60;b&#62;",
    "[click](https://evil.example/x)",
    "![pixel](https://evil.example/x.png)",
    "<https://evil.example>",
    "https://evil.example/?q=1 www.evil.example mail@evil.example",
    "@octocat closes #1 and GH-2, octo/repo#3 :tada:",
    "| cell | cell |\n|---|---|",
    "\\| \\\\| `|` ``|``",
    "`code` ``` fence ~~~ ~~struck~~ **bold** _em_ $x^2$",
    "\n\n# heading\n\n- list\n\n```\nfence",
    "</details></summary></code>",
    "\x1b[2J\x1b]0;title\x07\x1b[31mPASSED",
    "a\rb\nc\tdx\x00y\x0bz\x85",
    "\u202egnp.exe\u202c \u2028\u2029\ufeff\u200b",
    "\ud800 \udfff \ufffe \uffff \U0010ffff",
    "{0} {{1}} }{ %s %(x)s ${y}",
    "../../etc/passwd",
    "",
    " ",
    "é" * 40 + "語" * 40,
)

# Joined in twos as well: what is harmless alone may not be where it meets something else.
_PAIRS = tuple(one + other for one, other in zip(HOSTILE, HOSTILE[7:] + HOSTILE[:7], strict=True))
texts: SearchStrategy[str] = st.one_of(
    st.sampled_from(HOSTILE + _PAIRS),
    st.text(st.characters(codec=None, exclude_categories=()), max_size=12),
)
numbers = st.integers(0, 10**6)
names = st.one_of(st.sampled_from(["a", "b", "kms-key-rotation"]), texts)
packs = st.builds(Pack, name=names, version=texts, path=texts)
locations = st.builds(Location, file=texts, line=st.integers(-1, 10**6), through=texts)
findings = st.builds(
    Finding,
    policy=names,
    pack=names,
    level=st.one_of(st.sampled_from(["mandatory", "advisory", "remediate"]), texts),
    severity=st.one_of(st.sampled_from(["critical", "high", "medium", "low", ""]), texts),
    verdict=st.sampled_from(get_args(Verdict)),
    urn=texts,
    type=texts,
    name=texts,
    property_path=texts,
    summary=texts,
    found=texts,
    required=texts,
    why=texts,
    fix=texts,
    description=texts,
    location=st.none() | locations,
    more=st.dictionaries(
        st.sampled_from(["Reason", "Owner", "Expires"]) | texts,
        st.dates().map(str) | texts,
        max_size=3,
    ),
)
tallies = st.builds(
    PolicyTally,
    policy=names,
    pack=names,
    kind=st.sampled_from(["resource", "stack"]),
    passed=numbers,
    failed=numbers,
    not_applicable=numbers,
    disabled=st.booleans(),
)


def tuples(items: SearchStrategy[T], most: int = 2) -> SearchStrategy[tuple[T, ...]]:
    return st.lists(items, max_size=most).map(tuple)


reports = st.builds(
    Report,
    project=names,
    stack=names,
    packs=tuples(packs),
    findings=tuples(findings, 3),
    tallies=tuples(tallies),
    resources=numbers,
    notes=tuples(texts),
    changes=st.dictionaries(texts, numbers, max_size=2),
    seconds=st.floats(0, 10**6),
)
infos = st.builds(
    PolicyInfo,
    policy=names,
    pack=names,
    title=texts,
    description=texts,
    severity=st.one_of(st.sampled_from(["critical", "high", "medium", "low", ""]), texts),
    url=st.sampled_from(["https://docs.example/a_(b)*c?x=1#y", "javascript:alert(1)"]) | texts,
    remediation=texts,
    tags=tuples(
        st.sampled_from(["aws-fsbp:KMS.4", "cis:3.6", "nist-800-53-r5:SC-12(2)", "team:pay"]) | texts
    ),
    framework=texts,
    reference=texts,
)
unaudited = st.builds(
    Unaudited, name=texts, what=texts, where=texts, why=texts, fix=texts, details=tuples(texts)
)
verdict_files = st.builds(
    VerdictFile.of,
    st.sampled_from(get_args(Command)),
    st.lists(reports, max_size=2),
    unaudited=st.lists(unaudited, max_size=2),
    policies=st.lists(infos, max_size=2),
    made=st.none() | st.datetimes(timezones=st.just(UTC)),
)
