from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tapgate.findings import Finding, sorted_findings

findings = st.builds(
    Finding,
    policy=st.text(max_size=3),
    pack=st.just("p"),
    level=st.sampled_from(["mandatory", "advisory", "remediate", "warning", ""]),
    severity=st.sampled_from(["critical", "high", "medium", "low", "", "odd"]),
    verdict=st.sampled_from(["violation", "undecided", "error", "waived"]),
    urn=st.text(max_size=3),
    type=st.just("t"),
    name=st.just("n"),
    property_path=st.text(max_size=2),
    summary=st.text(max_size=3),
    found=st.just(""),
    required=st.just(""),
    why=st.just(""),
    fix=st.just(""),
)


@given(st.lists(findings, max_size=8), st.randoms())
def test_the_order_does_not_depend_on_the_engines_order(given_: list[Finding], random: object) -> None:
    shuffled = list(given_)
    getattr(random, "shuffle")(shuffled)  # noqa: B009 - hypothesis gives the Random an opaque type
    assert sorted_findings(shuffled) == sorted_findings(given_)
    blocking = [one.blocks for one in sorted_findings(given_)]
    assert blocking == sorted(blocking, reverse=True)
