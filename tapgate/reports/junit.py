"""JUnit XML, for the test views of CI systems: a suite a stack, a case a finding or a policy without one.

What blocks is a failure (an error when the rule itself failed), so that the view is red exactly when the
gate is; what does not block is skipped, with the reason.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from tapgate.json_access import sanitized
from tapgate.reports.entry import about, instant, labelled, source_of, waiver_of
from tapgate.reports.score import PolicyStatus, policy_statuses

if TYPE_CHECKING:
    from tapgate.findings import Finding, Report
    from tapgate.reports.verdict_file import Unaudited, VerdictFile

_SKIPPED_BECAUSE = {
    "off": "The policy is turned off.",
    "not applicable": "There is nothing in the stack that the policy is about.",
}


def to_junit(verdicts: VerdictFile) -> str:
    """Write a verdict file as JUnit XML."""
    root = Element("testsuites", name="TAP Guardrails")
    for report in verdicts.stacks:
        _suite(root, report, verdicts)
    for one in verdicts.unaudited:
        _unaudited_suite(root, one)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, report: Report, verdicts: VerdictFile) -> None:
    suite = SubElement(root, "testsuite", name=sanitized(f"{report.project} / {report.stack}"))
    made = instant(verdicts.made)
    if made is not None:
        suite.set("timestamp", made.strftime("%Y-%m-%dT%H:%M:%S"))
    suite.set("time", f"{report.seconds:.3f}")
    properties = SubElement(suite, "properties")
    for pack in report.packs:
        SubElement(properties, "property", name=sanitized(f"pack {pack.name}"), value=sanitized(pack.version))
    if report.guardrails is not None:
        SubElement(properties, "property", name="guardrails", value=sanitized(str(report.guardrails)))
    SubElement(properties, "property", name="resources", value=str(report.resources))
    for note in report.notes:
        SubElement(properties, "property", name="note", value=sanitized(note))
    seen: Counter[tuple[str, str]] = Counter()
    for finding in report.findings:
        _finding_case(suite, finding, seen)
    for status in policy_statuses(report, verdicts.known_policies):
        if not status.findings:
            _policy_case(suite, status)
    _count(suite)


def _finding_case(suite: Element, finding: Finding, seen: Counter[tuple[str, str]]) -> None:
    name = ", ".join(filter(None, (about(finding), finding.property_path)))
    where = _class_name(finding.pack, finding.policy)
    seen[where, name] += 1
    if seen[where, name] > 1:
        name = f"{name} #{seen[where, name]}"
    case = SubElement(suite, "testcase", classname=where, name=sanitized(name), time="0")
    if finding.location is not None:
        case.set("file", sanitized(finding.location.file))
        case.set("line", str(finding.location.line))
    message = sanitized(finding.summary) or "finding"
    if not finding.blocks:
        SubElement(case, "skipped", message=_reason(finding, message)).text = _text(finding)
        return
    element = "error" if finding.verdict == "error" else "failure"
    SubElement(case, element, type=finding.verdict, message=message).text = _text(finding)


def _reason(finding: Finding, message: str) -> str:
    waiver = waiver_of(finding)
    if waiver is None:
        return f"advisory: {message}"
    until = f" until {sanitized(waiver.expires)}" if waiver.expires else ""
    return f"waived{until}: {message}"


def _text(finding: Finding) -> str:
    pairs = (
        ("Where", finding.urn),
        ("Property", finding.property_path),
        ("Found", finding.found),
        ("Required", finding.required),
        ("Why", finding.why or finding.description),
        ("Fix", finding.fix),
        ("Program", source_of(finding)),
        ("Severity", finding.severity),
        ("Verdict", finding.verdict),
        *finding.more.items(),
    )
    return "\n" + "\n".join(map(sanitized, [finding.summary, *labelled(*pairs)])) + "\n"


def _policy_case(suite: Element, status: PolicyStatus) -> None:
    name = "the stack as a whole" if status.kind == "stack" else "all resources"
    case = SubElement(
        suite, "testcase", classname=_class_name(status.pack, status.policy), name=name, time="0"
    )
    if status.status in _SKIPPED_BECAUSE:
        SubElement(case, "skipped", message=_SKIPPED_BECAUSE[status.status])
    elif status.status != "met":
        SubElement(
            case, "error", type="error", message="The engine counted a failure that it did not explain."
        )


def _class_name(pack: str, policy: str) -> str:
    return sanitized(".".join(name for name in (pack, policy) if name)) or "policy"


def _unaudited_suite(root: Element, one: Unaudited) -> None:
    suite = SubElement(root, "testsuite", name=sanitized(one.name), time="0")
    case = SubElement(suite, "testcase", classname="tapgate.audit", name="could be audited", time="0")
    lines = [*labelled(("Where", one.where), ("Why", one.why), ("Fix", one.fix)), *one.details]
    error = SubElement(case, "error", type="could-not-run", message=sanitized(one.what))
    error.text = "\n" + "\n".join(map(sanitized, lines)) + "\n"
    _count(suite)


def _count(suite: Element) -> None:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(plural, str(sum(case.find(tag) is not None for case in cases)))
