from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.json_access import sanitized
from tapgate.reports.page import prose, to_html
from tapgate.reports.verdict_file import VerdictFile, from_json, to_json
from tests.tapgate.reports import realistic
from tests.tapgate.reports.page_reader import Node, check_accessible, read_page
from tests.tapgate.reports.strategies import texts, unhurried, verdict_files

TAGS = {
    *(
        "#document",
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "nav",
        "main",
        "footer",
        "section",
    ),
    *(
        "article",
        "div",
        "h1",
        "h2",
        "h3",
        "p",
        "ul",
        "li",
        "dl",
        "dt",
        "dd",
        "a",
        "b",
        "strong",
        "small",
        "span",
    ),
    *("code", "time", "br", "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("svg", "path", "rect", "fieldset", "legend", "label", "input"),
}
ATTRIBUTES = {
    *(
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "id",
        "href",
        "rel",
        "role",
        "tabindex",
        "scope",
    ),
    *("aria-label", "aria-hidden", "focusable", "datetime", "viewbox", "preserveaspectratio", "d"),
    *("x", "y", "width", "height", "type", "checked", "open", "data-label"),
}
TEMPLATES = resources.files("tapgate.reports.page").joinpath("templates")
CSS = resources.files("tapgate.reports.page").joinpath("report.css").read_text(encoding="utf-8")


def check_safe(page: Node) -> None:
    """Nothing runs, nothing is loaded, nothing leaves the page but links that somebody follows."""
    for node in page.walk():
        assert node.tag in TAGS
        assert node.attributes.keys() <= ATTRIBUTES, node.attributes
        target = node.attributes.get("href", "#")
        assert re.match(r"#|https?://", target)
        assert target.startswith("#") or node.attributes["rel"] == "noreferrer"
    (style,) = page.all("style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    (policy,) = [node for node in page.all("meta") if "http-equiv" in node.attributes]
    assert policy.attributes["http-equiv"] == "Content-Security-Policy"
    assert policy.attributes["content"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert style.text == CSS


def page_of(verdicts: VerdictFile, earlier: VerdictFile | None = None) -> Node:
    page = read_page(to_html(verdicts, earlier=earlier))
    check_safe(page)
    check_accessible(page)
    return page


@unhurried
@given(verdict_files, st.none() | verdict_files)
def test_any_verdict_is_a_safe_and_accessible_page(
    verdicts: VerdictFile, earlier: VerdictFile | None
) -> None:
    page = page_of(verdicts, earlier)
    assert all(one.isprintable() or one == "\n" or one.isspace() for one in page.one("body").text)
    entries = [node for node in page.all("li") if node.inside("article")]
    waived = page.by_id("waived").all("tbody")
    rows = len(waived[0].all("tr")) if waived else 0
    assert len(entries) + rows == sum(len(report.findings) for report in verdicts.stacks)
    assert to_html(from_json(to_json(verdicts)), earlier=earlier) == to_html(verdicts, earlier=earlier)


@unhurried
@given(texts)
def test_what_was_written_is_what_is_read(words: str) -> None:
    (finding,) = realistic.findings("kms-key-rotation")
    finding = replace(finding, summary=words, found=words, why=words, fix=words, name=words, urn=words)
    page = page_of(
        VerdictFile.of("preview", [replace(realistic.report([]), findings=(finding,), notes=(words,))])
    )
    shown = " ".join(sanitized(words).split())
    for place in ("violation", "notes") if words else ("violation",):
        assert shown in " ".join(page.by_id(place).text.split()) or shown in page.by_id(place).words


def test_the_verdict_comes_first_with_its_figures() -> None:
    page = page_of(realistic.blocked())
    verdict = page.by_id("verdict")
    assert verdict.one("h1").text == "Blocked"
    for words in (
        "tap / prod",
        "6 findings stop the deployment.",
        "5 Blocking violations",
        "1 Undecided",
        "2 Advisory",
        "2 Waived",
        "64 of 74 checks passed (86 %)",
    ):
        assert words in verdict.words
    assert page.one("title").text == "Blocked: tap / prod · TAP Guardrails"
    assert "23 November 2026, 22:50 UTC" in page.one("header").words
    assert "A stand-in for the AWS provider was used" in page.by_id("notes").words


def test_a_violation_is_shown_with_its_fix_and_its_place() -> None:
    page = page_of(realistic.blocked())
    (article,) = [one for one in page.by_id("violation").all("article") if "KMS keys rotate" in one.words]
    for words in (
        "high severity",
        "AWS Foundational Security Best Practices KMS.4",
        "How to fix it. Set enableKeyRotation: true;",
        "tap-data-key Key rotation is off.",
        "Program Pulumi.yaml:24",
        "Property enableKeyRotation",
        "Found false",
        "Required true",
        "URN urn:pulumi:prod::tap::tap:index:TapStack$aws:kms/key:Key::tap-data-key",
    ):
        assert words in article.words
    (more,) = [one for one in article.all("a") if one.text == "Read more"]
    assert more.attributes["href"].endswith("kms-controls.html#kms-4")


def test_the_gravest_policy_comes_first() -> None:
    found = realistic.findings("kms-key-rotation", "log-group-retention", "alarm-effective")
    grave = [
        replace(one, severity="critical") if one.policy == "log-group-retention" else one for one in found
    ]
    page = page_of(VerdictFile.of("preview", [realistic.report(grave)], policies=realistic.policies()))
    titles = [one.text for one in page.by_id("violation").all("h3")]
    assert titles == [
        "Log groups keep their events for a set time",
        "Alarms can fire and tell somebody",
        "KMS keys rotate",
    ]


def test_undecided_findings_say_whether_they_block() -> None:
    (finding,) = realistic.findings("s3-public-access-block")
    page = page_of(
        VerdictFile.of("preview", [realistic.report([finding, replace(finding, level="advisory")])])
    )
    words = page.by_id("undecided").words
    assert "deployment. blocks" in words
    assert "does not block" in words
    broken = page_of(VerdictFile.of("preview", [realistic.report([replace(finding, verdict="error")])]))
    assert "the rule failed" in broken.by_id("undecided").words


def test_waivers_are_shown_with_reason_owner_and_expiry() -> None:
    rows = page_of(realistic.blocked()).by_id("waived").one("tbody").all("tr")
    assert [row.words for row in rows] == [
        (
            "tap-processor-role iam-no-wildcards The statement allows xray:PutTraceSegments on every "
            "resource. AWS does not scope X-Ray writes to resources. platform@example.com 2026-12-15 "
            "22 days left"
        ),
        (
            "tap-legacy-queue sqs-encryption The queue is encrypted with a key of AWS, not with yours. "
            "Consumer moves to the new queue in spring. orders team 2027-04-30 158 days left"
        ),
    ]
    assert "is-warn" in rows[0].all("span")[-1].attributes["class"]


@pytest.mark.parametrize(("expires", "colour"), [("2026-11-01", "is-bad"), ("2026-11-30", "is-warn")])
def test_a_waiver_that_is_about_to_end_stands_out(expires: str, colour: str) -> None:
    (finding,) = realistic.findings("sqs-encryption")
    found = replace(finding, more={"Expires": expires})
    page = page_of(VerdictFile.of("preview", [realistic.report([found])], made=realistic.MADE))
    row = page.by_id("waived").one("tbody")
    assert colour in row.all("span")[-1].attributes["class"]
    assert "not said not said" in row.words


def test_names_in_what_is_required_are_code() -> None:
    (finding,) = realistic.findings("sqs-encryption")
    found = replace(finding, required="one of `a`, `b`", verdict="violation", level="mandatory")
    html = to_html(VerdictFile.of("preview", [realistic.report([found])], made=realistic.MADE))
    assert "one of <code>a</code>, <code>b</code>" in html


def test_a_waived_finding_that_blocks_is_a_violation_and_says_so() -> None:
    (finding,) = realistic.findings("sqs-encryption")
    page = page_of(VerdictFile.of("preview", [realistic.report([replace(finding, level="mandatory")])]))
    assert "waived, and still blocking" in page.by_id("violation").words
    assert "Nothing is waived." in page.by_id("waived").words


def test_controls_are_scored_by_framework() -> None:
    page = page_of(realistic.blocked())
    (card,) = [one for one in page.by_id("score").all("li") if "CIS AWS" in one.words]
    assert card.words == "CIS AWS Foundations Benchmark 3.0.0 0 % 0 of 2 controls hold 1 failed, 1 undecided"
    rows = [row.words for row in page.by_id("framework-0").one("tbody").all("tr")]
    assert "KMS.4 failed kms-key-rotation" in rows
    assert "DynamoDB.2 met dynamodb-point-in-time-recovery" in rows
    assert "SQS.1 waived sqs-encryption" in rows


def test_without_metadata_the_report_is_still_good() -> None:
    page = page_of(VerdictFile.of("preview", realistic.blocked().stacks))
    assert "The packs name no controls of published frameworks" in page.by_id("controls").words
    assert page.by_id("score").words.startswith("Score tap-guardrails 50 % 10 of 20 policies hold")
    assert "kms-key-rotation" in [one.text for one in page.by_id("violation").all("h3")]


def test_policies_and_what_was_not_applicable() -> None:
    page = page_of(realistic.blocked())
    rows = [row.words for row in page.by_id("policies").one("tbody").all("tr")]
    assert "kms-key-rotation KMS keys rotate failed 0 1 45" in rows
    assert "lambda-supported-runtime off 0 0 0" in rows
    idle = page.by_id("not-applicable").words
    assert "Policies without a resource to evaluate sns-encryption" in idle
    assert "Turned off lambda-supported-runtime" in idle


def test_a_control_without_anything_to_judge_is_named() -> None:
    infos = [
        replace(one, tags=("nist:SC-8",)) for one in realistic.policies() if one.policy == "sns-encryption"
    ]
    page = page_of(VerdictFile.of("preview", [realistic.report([])], policies=infos))
    assert "NIST SP 800-53 SC-8" in page.by_id("not-applicable").words
    (card,) = page.by_id("score").all("li")
    assert card.words == "NIST SP 800-53 none no controls hold 1 not applicable"


def test_an_audit_shows_all_stacks_the_worst_first() -> None:
    page = page_of(realistic.audit(), realistic.earlier_audit())
    assert page.one("h1").text == "Incomplete"
    rows = [row.words for row in page.by_id("stacks").all("tbody")[0].all("tr")]
    assert rows[0].startswith("batch / dev blocked 14 0 0 0 46 ")
    assert [row.split(" 46 ")[0] for row in rows[-2:]] == [
        "tap / dev passed 0 0 0 0",
        "tap / staging passed 0 0 0 0",
    ]
    missing = page.by_id("unaudited").words
    assert "shop-prod.json The state is not a Pulumi checkpoint." in missing
    assert "expected a JSON object, found an HTML page" in missing
    assert "61 of 72 hold, each control once a stack" in page.by_id("score").words


def test_each_stack_has_a_section_whose_rows_lead_to_the_findings() -> None:
    page = page_of(realistic.audit())
    for row in page.by_id("stacks").all("tbody")[0].all("tr"):
        link = row.all("a")[0]
        section = page.by_id(link.attributes["href"][1:])
        assert link.text in section.one("h3").words
        for found in section.all("tbody")[:1]:
            for one in found.all("tr"):
                account = page.by_id(one.all("a")[0].attributes["href"][1:])
                articles = [node for node in page.all("article") if account in node.walk()]
                assert one.all("code")[-1].text in " ".join(node.words for node in [*articles, account])
                assert one.attributes["class"].startswith("of-")
    waived = page.by_id("waived").all("tbody")[0].all("tr")
    assert all(row.all("a")[1].attributes["href"].startswith("#stack-") for row in waived)


def test_what_only_tags_or_no_policy_looked_at_is_named() -> None:
    looked = {"urn:a": "control", "urn:b::t::b": "tags", "urn:c::t::c": "none"}
    one = replace(realistic.report([]), coverage=looked)
    (other,) = realistic.passed().stacks
    for verdicts, section in (
        (VerdictFile.of("preview", [one]), "evidence"),
        (VerdictFile.of("audit", [one, replace(other, stack="dev")]), "stacks"),
    ):
        words = page_of(verdicts).by_id(section).words
        assert "1 resource evaluated on tags alone urn:b::t::b" in words
        assert "1 resource evaluated by no policy urn:c::t::c" in words
        assert "urn:a" not in words


def test_a_link_to_a_finding_holds_in_the_next_report() -> None:
    before, now = page_of(realistic.audit()), page_of(realistic.blocked())
    mine = {one.attributes["id"] for one in now.walk() if one.attributes.get("id", "").startswith("finding-")}
    assert mine
    assert mine <= {one.attributes.get("id") for one in before.walk()}


def test_many_findings_of_one_policy_unfold() -> None:
    page = page_of(realistic.audit())
    (article,) = [one for one in page.by_id("violation").all("article") if "Log groups keep" in one.words]
    (rest,) = [one for one in article.all("details") if one.attributes.get("class") == "more"]
    assert rest.all("summary")[0].text == "8 more findings"


def test_what_differs_between_findings_of_a_policy_stands_with_each() -> None:
    one, other = realistic.findings("log-group-retention")
    page = page_of(
        VerdictFile.of("preview", [realistic.report([one, replace(other, fix="Ask Ann.", why="She knows.")])])
    )
    assert "Why She knows. Fix Ask Ann." in page.by_id("violation").words
    assert "How to fix it." not in page.by_id("violation").words


def test_changes_since_an_earlier_report() -> None:
    now = realistic.audit()
    changes = page_of(now, realistic.earlier_audit()).by_id("changes")
    assert changes.one("h2").words == "Changes since 26 October 2026, 06:00 UTC"
    rows = [row.words for row in changes.one("tbody").all("tr")]
    assert rows[:6] == [
        "Blocking violations 5 21 +16 worse",
        "Undecided 1 1 no change",
        "Advisory 0 3 +3 worse",
        "Waived 2 3 +1",
        "Stacks that could not be audited 0 1 +1 worse",
        "Stacks with a verdict 5 6 +1",
    ]
    assert rows[6] == "Checks passed 97 % 93 % worse"
    assert "New findings (8)" in changes.words
    assert "Stacks that this report no longer has (1) warehouse / prod" in changes.words


def test_progress_is_called_progress() -> None:
    before, now = realistic.blocked(), realistic.passed()
    changes = page_of(now, before).by_id("changes")
    rows = [row.words for row in changes.one("tbody").all("tr")]
    assert rows[0] == "Blocking violations 5 0 -5 better"
    assert rows[-1] == "PCI DSS 4.0.1 0 % 100 % better"
    same = [row.words for row in page_of(now, now).by_id("changes").one("tbody").all("tr")]
    assert all(row.endswith("no change") for row in same)
    lost = page_of(now, replace(now, policies=())).by_id("changes")
    assert "cannot be compared" in lost.words


def test_a_changed_verdict_is_named() -> None:
    (finding,) = realistic.findings("kms-key-rotation")
    before = VerdictFile.of("audit", [realistic.report([finding])], policies=realistic.policies())
    waived = replace(finding, verdict="waived", level="advisory")
    now = VerdictFile.of("audit", [realistic.report([waived])], policies=realistic.policies())
    assert (
        "tap-data-key kms-key-rotation violation became waived" in page_of(now, before).by_id("changes").words
    )


def test_the_evidence_names_packs_plan_and_engine() -> None:
    words = page_of(realistic.blocked()).by_id("evidence").words
    assert "tap-guardrails 0.1.0 policypack" in words
    assert "Evaluated 46 resources on 1 stack" in words
    assert "Planned 46 to create" in words
    assert "Engine 3.4 s" in words
    (report,) = realistic.passed().stacks
    foreign = replace(report, packs=(replace(report.packs[0], path=""),), changes={"same": 46})
    words = page_of(VerdictFile.of("preview", [foreign])).by_id("evidence").words
    assert "required by the organisation" in words
    assert "Planned 46 unchanged" in words


def test_nothing_evaluated_is_said_and_is_no_pass() -> None:
    page = page_of(VerdictFile.of("audit", []))
    assert page.one("h1").text == "Incomplete"
    assert "No stack was evaluated." in page.by_id("verdict").words


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


LIGHT, DARK, PRINT = (colours(block) for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL))


@pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=["light", "dark", "print"])
def test_colours_have_the_contrast_of_wcag_aa(theme: dict[str, str]) -> None:
    grounds = ["bg", "surface", "sunken"]
    pairs = [(ink, ground) for ink in ("ink", "muted", "accent") for ground in grounds]
    for tone in ("bad", "warn", "ask", "hold", "good", "none"):
        pairs += [(tone, ground) for ground in (*grounds, f"{tone}-bg")]
        pairs += [("ink", f"{tone}-bg")]
    for ink, ground in pairs:
        assert contrast(theme[ink], theme[ground]) >= 4.5, (ink, ground)
    if "focus" in theme:
        assert all(contrast(theme["focus"], theme[ground]) >= 3 for ground in grounds)
    # Bars and marks are graphics: 3:1 against what is behind them.
    for tone in ("bad", "ask", "hold", "good"):
        assert contrast(theme[f"{tone}-fill"], theme["surface"]) >= 3, tone


def test_the_style_needs_nothing_from_elsewhere() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS
    assert CSS.isascii()
    assert "</" not in CSS


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a b", "//x", "data:text/html,x", ""])
def test_only_the_address_of_a_page_is_a_link(url: str) -> None:
    (finding,) = realistic.findings("kms-key-rotation")
    infos = [replace(one, url=url) for one in realistic.policies() if one.policy == finding.policy]
    page = page_of(VerdictFile.of("preview", [realistic.report([finding])], policies=infos))
    assert "Read more" not in page.by_id("violation").words


def test_every_template_escapes_by_itself() -> None:
    source = "".join(path.read_text("utf-8") for path in TEMPLATES.iterdir() if path.name.endswith(".j2"))
    assert "| safe" not in source
    assert "autoescape" not in source


def test_what_a_pack_puts_between_backquotes_is_code() -> None:
    assert prose("Set `a: <b>` and `c`.") == "Set <code>a: &lt;b&gt;</code> and <code>c</code>."
    assert prose("one ` alone, ` spaces `, ``two``") == "one ` alone, ` spaces `, ``two``"
