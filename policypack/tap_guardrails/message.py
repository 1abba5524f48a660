"""The text of a finding: the form that the gate, and people, read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_guardrails.model import Finding, Resource, Waiver
    from tap_guardrails.model.rule import Declaration


def message(rule: Declaration, resource: Resource, finding: Finding) -> str:
    """Write a finding: the problem in the first line, then one `Key: value` a line, a waiver's terms last.

    Args:
        rule: The rule that found it.
        resource: The resource that it was found on.
        finding: What was found.
    """
    declared = resource.declared
    return "\n".join(
        (
            one_line(finding.problem),
            one_line(f"Where: {declared.name} ({declared.type}), property `{finding.path}`"),
            one_line(f"Found: {finding.found}"),
            one_line(f"Required: {finding.required}"),
            one_line(f"Why: {rule.why}"),
            one_line(f"Fix: {finding.fix or rule.fix}"),
            f"Verdict: {finding.verdict.value}",
            *(waiver_lines(finding.waiver) if finding.waiver else ()),
        )
    )


def waiver_lines(waiver: Waiver) -> tuple[str, ...]:
    """Write a waiver's terms, one a line."""
    return (
        f"Reason: {one_line(waiver.reason)}",
        f"Owner: {one_line(waiver.owner)}",
        f"Expires: {waiver.expires.isoformat()}",
    )


def one_line(text: str) -> str:
    """Keep a text in one line, whatever names of resources and properties are in it."""
    return " ".join(text.split())
