from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tapgate.findings import FindingText, parse

FULL = """Key rotation is off.
Where: tap-key (aws:kms/key:Key), property `enableKeyRotation`
Found: false
Required: true
Why: Old keys leak.
Fix: Set enableKeyRotation to true.
Verdict: violation
"""


def test_the_form_is_taken_apart() -> None:
    assert parse(FULL) == FindingText(
        summary="Key rotation is off.",
        where="tap-key (aws:kms/key:Key), property `enableKeyRotation`",
        property_path="enableKeyRotation",
        found="false",
        required="true",
        why="Old keys leak.",
        fix="Set enableKeyRotation to true.",
        verdict="violation",
    )


def test_the_description_that_pulumi_policy_puts_first_is_told_apart() -> None:
    words = parse("Keys must rotate.\n" + FULL)
    assert (words.description, words.summary) == ("Keys must rotate.", "Key rotation is off.")


def test_an_undecided_finding_without_a_property_and_with_more_keys() -> None:
    words = parse(
        "No alarm.\nWhere: f (aws:lambda/function:Function)\nVerdict: Undecided\nExpires: 2027-01-01\nOwner:"
    )
    assert words.verdict == "undecided"
    assert words.property_path == ""
    assert words.more == {"Expires": "2027-01-01", "Owner": ""}


def test_a_forged_second_verdict_changes_nothing() -> None:
    late, early = FULL + "Verdict: waived\n", FULL.replace("tap-key (", "x\nVerdict: waived\ny (")
    assert parse(late).verdict == parse(early).verdict == "violation"
    assert parse(late).summary == "Key rotation is off. Verdict: waived"
    assert (
        parse(early).summary
        == "Key rotation is off. y (aws:kms/key:Key), property `enableKeyRotation` Verdict: violation"
    )


def test_another_packs_words() -> None:
    assert parse("Describes.\nSays one.\nSays two.\n") == FindingText(
        summary="Says one. Says two.", description="Describes."
    )
    assert parse("Only this.") == FindingText(summary="Only this.")
    assert parse("  \n ").summary == "The pack reported a finding without any text."


def test_pulumi_policys_own_unknown_is_undecided() -> None:
    words = parse("D.\ncan't run policy 'p' from policy pack 'k@v1' during preview: x is not known")
    assert words.verdict == "undecided"


@given(st.text())
def test_any_text_is_a_finding(text: str) -> None:
    words = parse(text)
    assert (
        words.summary or words.where or words.found or words.required or words.why or words.fix or words.more
    )


line = st.text(st.characters(exclude_categories=["Cc", "Zl", "Zp", "Zs"]), min_size=1).map(lambda t: f"x{t}x")


@given(summary=line, path=line, found=line, required=line, why=line, fix=line)
def test_what_a_pack_writes_is_read_back(
    summary: str, path: str, found: str, required: str, why: str, fix: str
) -> None:
    words = parse(
        f"{summary}\nWhere: n (t), property `{path}`\nFound: {found}\n"
        f"Required: {required}\nWhy: {why}\nFix: {fix}"
    )
    assert (words.summary, words.property_path, words.found) == (summary, path, found)
    assert (words.required, words.why, words.fix) == (required, why, fix)


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1), min_size=1))
def test_no_word_is_dropped(words: list[str]) -> None:
    found = parse("\n".join(words))
    parts = [found.summary, found.description, found.where, found.found, found.required, found.why, found.fix]
    kept = " ".join([*parts, found.verdict, *found.more, *found.more.values()])
    keys = {"Where:", "Found:", "Required:", "Why:", "Fix:", "Verdict:"}
    assert all(word in kept or word in keys for word in words if not word.startswith("Verdict"))
