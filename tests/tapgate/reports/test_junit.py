from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from hypothesis import given

from tapgate.reports.junit import to_junit
from tapgate.reports.verdict_file import VerdictFile
from tests.tapgate.reports import realistic
from tests.tapgate.reports.strategies import unhurried, verdict_files

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def parsed(verdicts: VerdictFile) -> Element:
    return ET.fromstring(to_junit(verdicts).encode())  # noqa: S314  # the document is ours


def case(verdicts: VerdictFile, policy: str) -> Element:
    return next(
        one for one in parsed(verdicts).iter("testcase") if one.get("classname") == f"tap-guardrails.{policy}"
    )


def message(verdicts: VerdictFile, policy: str, tag: str) -> str:
    found = case(verdicts, policy).find(tag)
    assert found is not None
    return found.get("message", "")


@unhurried
@given(verdict_files)
def test_any_verdict_is_read_by_a_parser_and_its_counts_are_right(verdicts: VerdictFile) -> None:
    root = parsed(verdicts)
    assert root.tag == "testsuites"
    suites = root.findall("testsuite")
    assert len(suites) == len(verdicts.stacks) + len(verdicts.unaudited)
    for suite in [root, *suites]:
        cases = list(suite.iter("testcase"))
        assert suite.get("tests") == str(len(cases))
        for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(plural) == str(sum(one.find(tag) is not None for one in cases))
    for suite in suites:
        keys = [(one.get("classname"), one.get("name")) for one in suite.iter("testcase")]
        assert all(name for key in keys for name in key)
    blocking = sum(finding.blocks for report in verdicts.stacks for finding in report.findings)
    red = len(list(root.iter("failure"))) + len([one for one in root.iter("error") if one.text])
    assert red == blocking + len(verdicts.unaudited)


def test_a_violation_is_a_failure_with_the_words_and_the_place() -> None:
    one = case(realistic.blocked(), "kms-key-rotation")
    assert one.get("name") == "tap-data-key (aws:kms/key:Key), enableKeyRotation"
    assert (one.get("file"), one.get("line")) == ("Pulumi.yaml", "24")
    failure = one.find("failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == ("violation", "Key rotation is off.")
    assert failure.text is not None
    assert "Fix: Set enableKeyRotation: true;" in failure.text
    assert "Program: Pulumi.yaml:24" in failure.text


def test_what_does_not_block_is_skipped_with_the_reason() -> None:
    verdicts = realistic.blocked()
    assert message(verdicts, "required-tags", "skipped") == "advisory: The tag cost-centre is missing."
    assert message(verdicts, "sqs-encryption", "skipped").startswith("waived until 2027-04-30: ")
    assert (
        message(verdicts, "sns-encryption", "skipped")
        == "There is nothing in the stack that the policy is about."
    )
    assert message(verdicts, "lambda-supported-runtime", "skipped") == "The policy is turned off."


def test_a_waiver_without_a_date_is_said_without_one() -> None:
    (report,) = realistic.blocked().stacks
    bare = replace(report, findings=tuple(replace(one, more={}) for one in report.findings))
    assert message(VerdictFile.of("preview", [bare]), "sqs-encryption", "skipped").startswith("waived: ")


def test_a_policy_without_findings_passes() -> None:
    one = case(realistic.blocked(), "dynamodb-point-in-time-recovery")
    assert (one.get("name"), list(one)) == ("all resources", [])
    assert case(realistic.blocked(), "lambda-error-alarm").get("name") == "the stack as a whole"


def test_a_rule_that_failed_is_an_error() -> None:
    (report,) = realistic.blocked().stacks
    broken = replace(report, findings=tuple(replace(one, verdict="error") for one in report.findings))
    assert message(VerdictFile.of("preview", [broken]), "kms-key-rotation", "error") == "Key rotation is off."


def test_a_failure_that_nobody_explains_is_an_error() -> None:
    (report,) = realistic.blocked().stacks
    mute = replace(report, findings=())
    words = "The engine counted a failure that it did not explain."
    assert message(VerdictFile.of("preview", [mute]), "kms-key-rotation", "error") == words


def test_alike_cases_are_numbered() -> None:
    (report,) = realistic.blocked().stacks
    twice = replace(report, findings=report.findings * 2)
    names = [one.get("name") for one in parsed(VerdictFile.of("preview", [twice])).iter("testcase")]
    assert "tap-data-key (aws:kms/key:Key), enableKeyRotation #2" in names
    keys = [
        (one.get("classname"), one.get("name"))
        for one in parsed(VerdictFile.of("preview", [twice])).iter("testcase")
    ]
    assert len(set(keys)) == len(keys)


def test_a_stack_that_could_not_be_audited_is_an_error() -> None:
    root = parsed(realistic.audit())
    suite = next(one for one in root if one.get("name") == "shop-prod.json")
    error = suite.find("testcase/error")
    assert error is not None
    assert error.get("message") == "The state is not a Pulumi checkpoint."
    assert error.text is not None
    assert "Fix: export it again" in error.text
    assert "found an HTML page" in error.text
    assert root[0].get("timestamp") == "2026-11-23T22:50:12"
