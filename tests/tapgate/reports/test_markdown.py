from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.json_access import sanitized, web_address
from tapgate.reports.controls import PolicyInfo
from tapgate.reports.markdown import LIMIT, cell, code, html_code, hyperlink, prose, to_markdown
from tapgate.reports.verdict_file import VerdictFile
from tests.tapgate.reports import realistic
from tests.tapgate.reports.readers import github_html
from tests.tapgate.reports.strategies import texts, unhurried, verdict_files

TAGS = {
    *("h2", "h3", "p", "ul", "li", "blockquote", "strong", "b", "code", "sub", "a", "span"),
    *("table", "thead", "tbody", "tr", "th", "td", "details", "summary"),
}
QUIET = {"code", "a", "span"}
LIVE = re.compile(
    r"(?<!\w)@[A-Za-z0-9]|(?<!\w)#[0-9]|(?i:\bGH-[0-9])|:[a-z0-9+_-]+:|(?i:https?://|\bwww\.)\w|\$\S[^$]*\$",
    re.ASCII,
)


class Rendered(HTMLParser):
    """What GitHub's own parser makes of the Markdown, with raw HTML let through."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.comments: list[str] = []
        self.words: list[str] = []
        self.loud: list[str] = []
        self.html = github_html(markdown)
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.attributes |= {name for name, _ in attrs} - {"align"}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.html)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if not QUIET & set(self.open):
            self.loud.append(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


def shown(text: str) -> str:
    """The characters of a text, invisible breaks and white space left out."""
    return re.sub(r"[\s\u200b]", "", text)


def test_a_blocked_preview_reads_well() -> None:
    text = to_markdown(realistic.blocked())
    assert text.startswith("<!-- tap-guardrails:")
    assert "## ❌ TAP Guardrails: blocked · tap / prod\n" in text
    assert "6 findings stop the deployment." in text
    assert "| 5 | 1 | 2 | 2 | 64 of 74 (86 %) |" in text
    assert "### ❌ Blocking violations (5)" in text
    assert "- **Found:** `false`\n- **Required:** `true`" in text
    assert "- **Program:** `Pulumi.yaml:88, in component stack`" in text
    assert "- **Expires:** 2026-12-15 (22 days left)" in text
    assert (
        "[documentation](https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html#kms-4)"
        in text
    )
    assert "| AWS Foundational Security Best Practices | 4 of 12 (33 %) |" in text


def test_an_audit_names_stacks_what_could_not_be_audited_and_changes() -> None:
    text = to_markdown(realistic.audit(), earlier=realistic.earlier_audit())
    assert "⚠️ TAP Guardrails: incomplete · 7 stacks" in text
    assert "> **Could not be audited:** `shop-prod.json`: The state is not a Pulumi checkpoint." in text
    assert "batch / dev" in text
    assert (
        "Compared with the earlier report (since 26 October 2026, 06:00 UTC): 8 new, 3 gone, 0 changed"
        in text
    )
    assert "| Checks passed | 362 of 370 (97 %) | 426 of 454 (93 %) |" in text
    assert "- New: `tap-data-key` Key rotation is off. (`kms-key-rotation`)" in text


def test_a_pass_is_short() -> None:
    text = to_markdown(realistic.passed())
    assert "✅ TAP Guardrails: passed" in text
    assert "No finding stops the deployment." in text
    assert "###" not in text


def test_a_job_finds_its_own_comment_again() -> None:
    def marker(verdicts: VerdictFile) -> str:
        return to_markdown(verdicts).splitlines()[0]

    assert marker(realistic.blocked()) == marker(realistic.passed())
    (report,) = realistic.passed().stacks
    assert marker(VerdictFile.of("preview", [replace(report, stack="dev")])) != marker(realistic.passed())


@unhurried
@given(verdict_files, st.none() | verdict_files)
def test_any_verdict_renders_to_the_structure_that_was_meant(
    verdicts: VerdictFile, earlier: VerdictFile | None
) -> None:
    text = to_markdown(verdicts, earlier=earlier)
    assert len(text) <= LIMIT
    assert all(line.isprintable() or "\u200b" not in line for line in text.split("\n"))
    page = Rendered(text)
    assert page.open == []
    assert set(page.tags) <= TAGS, page.html
    assert page.attributes <= {"href"}
    assert len(page.comments) == 1
    addresses = {web_address(info.url) for info in verdicts.policies}
    assert all(address.startswith(("http://", "https://")) for address in page.links)
    assert len(set(page.links)) <= len(addresses)
    assert not [words for words in page.loud if LIVE.search(words)]
    findings = sum(len(report.findings) for report in verdicts.stacks)
    if "full report" not in page.text:
        assert findings <= page.tags.count("details") <= findings + 3


@unhurried
@given(texts, texts)
def test_what_was_written_is_what_is_read(summary: str, value: str) -> None:
    (finding,) = realistic.findings("kms-key-rotation")
    finding = replace(finding, summary=summary, found=value, why=value, name=value, fix=summary)
    page = Rendered(
        to_markdown(VerdictFile.of("preview", [replace(realistic.report([]), findings=(finding,))]))
    )
    for words in (summary, value):
        assert shown(sanitized(words)) in shown(page.text)


@given(texts)
def test_each_way_of_writing_shows_the_text_and_nothing_else(text: str) -> None:
    for written in (prose(text), code(text), hyperlink(text, "https://example.com/"), html_code(text)):
        page = Rendered(f"- **x:** {written} y")
        assert set(page.tags) <= {"ul", "li", "strong", "code", "a", "span"}
        assert shown(page.text) == shown(f"x:{sanitized(text)}y")
    table = Rendered(f"| a | b |\n|---|---|\n| {cell(text)} | {prose(text)} |\n")
    assert table.tags.count("td") == 2
    assert shown(table.text) == shown("ab" + sanitized(text) * 2)


@pytest.mark.parametrize(
    "text",
    [
        "@octocat",
        "a@b.example",
        "#12",
        "GH-12",
        "octo/repo#7",
        "https://evil.example",
        "WWW.evil.example",
        ":tada:",
    ],
)
def test_what_forges_bring_to_life_stays_dead(text: str) -> None:
    page = Rendered(prose(text))
    assert page.links == []
    assert not LIVE.search(page.text)
    assert page.text.replace("\u200b", "").strip() == text


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "https://user@evil.example/",
        "https://evil.example/\nx",
        "https://evil.example/ x",
        "//evil.example",
        "https://-evil.example",
        "file:///etc/passwd",
        "HTTPS:evil",
        "",
    ],
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert web_address(url) == ""
    assert hyperlink("x", url) == "x"


def test_an_address_cannot_leave_its_link() -> None:
    page = Rendered(hyperlink("x", "https://example.com/a)b(c<d>\"'`_*[x](y)"))
    assert page.tags == ["p", "a"]
    assert page.links == ["https://example.com/a%29b%28c%3Cd%3E%22%27%60%5F%2A%5Bx%5D%28y%29"]


def test_what_does_not_fit_is_counted() -> None:
    many = realistic.findings("kms-key-rotation") * 3000
    text = to_markdown(VerdictFile.of("preview", [realistic.report(many)]))
    assert len(text) <= LIMIT
    left = re.search(r"… and ([\d,]+) more entries in the full report\.", text)
    assert left is not None
    assert text.count("<details><summary><b>") + int(left[1].replace(",", "")) == 3000
    assert "### ❌ Blocking violations (3,000)" in text


def test_endless_names_do_not_break_the_limit() -> None:
    (finding,) = realistic.findings("kms-key-rotation")
    report = replace(realistic.report([]), project="<" * 70_000, notes=("@" * 70_000,), findings=(finding,))
    text = to_markdown(
        VerdictFile.of("preview", [report], policies=[PolicyInfo("|" * 70_000, realistic.PACK)])
    )
    assert len(text) <= LIMIT
    assert "more entries in the full report" in text


def test_a_rule_that_failed_and_a_finding_without_words_are_said() -> None:
    (finding,) = realistic.findings("kms-key-rotation")
    broken = replace(finding, verdict="error", level="advisory", summary="", severity="")
    text = to_markdown(VerdictFile.of("preview", [replace(realistic.report([]), findings=(broken,))]))
    assert (
        "A finding without any text. · <code>kms-key-rotation</code> · does not block · the rule failed"
        in text
    )


def test_long_lists_of_changes_are_cut() -> None:
    many = realistic.findings("kms-key-rotation") * 30
    now = VerdictFile.of("audit", [realistic.report(many)])
    text = to_markdown(now, earlier=VerdictFile.of("audit", [realistic.report([])]))
    assert text.count("- New: ") == 20
    assert "- … and 10 more\n" in text
