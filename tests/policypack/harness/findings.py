"""Findings as a reader of the protocol takes them out of a diagnostic, and their comparison with a case."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tap_guardrails.aws.embedded import CARRIERS
from tap_guardrails.evaluation import evaluate_stack, evaluated
from tap_guardrails.model import Finding, Resource, Settings, StackRule
from tap_guardrails.model.rule import message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulumi.runtime.proto import analyzer_pb2 as proto

    from tests.policypack.harness.cases import Case, CaseResource
    from tests.policypack.harness.pack import Pack

from tests.policypack.harness.cases import stack_of

KEYS = ("Where", "Found", "Required", "Why", "Fix", "Verdict")
TERMS = ("Reason", "Owner", "Expires")


@dataclass(frozen=True)
class Seen:
    """A finding as its text says it."""

    urn: str
    text: str

    @cached_property
    def fields(self) -> dict[str, str]:
        lines = self.text.split("\n")
        pairs = [(line.split(": ", 1)[0], line.split(": ", 1)[1]) for line in lines[1:]]
        fields = dict(pairs)
        keys = (*KEYS, *TERMS) if fields["Verdict"] == "waived" else KEYS
        assert tuple(key for key, _ in pairs) == keys, self.text
        return fields

    @property
    def verdict(self) -> str:
        return self.fields["Verdict"]

    @property
    def property(self) -> str:
        return self.fields["Where"].rsplit("property `", 1)[1].removesuffix("`")


@dataclass(frozen=True)
class Answer:
    """What a policy said of a case."""

    findings: tuple[Seen, ...]
    reason: str | None


def purely(case: Case) -> Answer:
    """Run a case through the rule's function."""
    settings = Settings(case.rule.all_settings, case.config)
    stack = stack_of(case)
    if isinstance(case.rule, StackRule):
        evaluation = evaluate_stack(case.rule, stack, settings)
        return Answer(tuple(seen(case, *pair) for pair in evaluation.findings), evaluation.reason or None)
    every = [(one, evaluated(case.rule.check, one, settings)) for one in stack.of(*case.rule.types)]
    reasons = [alone.reason for _, alone in every] or [f"Applies to {case.rule.types_shown}."]
    if case.in_stack and case.rule.check_in_stack:
        check = case.rule.check_in_stack
        every += [(one, evaluated(check, one, stack, settings)) for one, _ in every]
    found = tuple(seen(case, one, finding) for one, alone in every for finding in alone.findings)
    return Answer(found, reasons[-1] if all(reasons) and not found else None)


def seen(case: Case, resource: Resource, finding: Finding) -> Seen:
    return Seen(resource.declared.urn, message(case.rule, resource, finding))


def on_the_wire(case: Case, response: proto.AnalyzeResponse) -> Answer:
    """Take what a policy said out of a response."""
    diagnostics = [one for one in response.diagnostics if one.policyName == case.rule.name]
    reasons = [one.reason for one in response.not_applicable if one.policy_name == case.rule.name]
    return Answer(tuple(Seen(one.urn, one.message) for one in diagnostics), reasons[0] if reasons else None)


def asked_alone(case: Case) -> list[CaseResource]:
    """Return the resources of a case that a resource rule sees, itself or in what they carry inside."""
    return [one for one in case.resources if one.type in {*case.rule.types, *CARRIERS}]


def over_the_protocol(case: Case, pack: Pack) -> Answer:
    """Send a case to the running pack: a resource alone, a stack, or each of its resources and the stack."""
    if isinstance(case.rule, StackRule):
        return on_the_wire(case, pack.analyze_stack(case.resources))
    if not case.in_stack:
        return on_the_wire(case, pack.analyze(case.resources[0]))
    alone = [on_the_wire(case, pack.analyze(one)) for one in asked_alone(case)]
    whole = on_the_wire(case, pack.analyze_stack(case.resources))
    found = tuple(one for answer in (*alone, whole) for one in answer.findings)
    reasons = [answer.reason for answer in alone]
    return Answer(found, reasons[-1] if all(reasons) and not found else None)


def mismatches(case: Case, answer: Answer) -> Iterable[str]:
    """Say how an answer differs from what the case expects."""
    if (case.not_applicable is None) != (answer.reason is None):
        yield f"not applicable: expected {case.not_applicable!r}, got {answer.reason!r}"
    elif (case.not_applicable or "").lower() not in (answer.reason or "").lower():
        yield f"reason: expected {case.not_applicable!r} in {answer.reason!r}"
    if len(case.findings) != len(answer.findings):
        yield f"expected {len(case.findings)} findings, got {len(answer.findings)}"
        yield from (finding.text for finding in answer.findings)
        return
    left = list(answer.findings)
    for expected in case.findings:
        fitting = [
            seen
            for seen in left
            if seen.verdict == expected.verdict
            and (not expected.resource or seen.urn == case.urn_of(expected.resource))
            and (not expected.property or seen.property == expected.property)
            and expected.text.lower() in seen.text.lower()
        ]
        if not fitting:
            yield f"no finding fits {expected}; left are:"
            yield from (seen.text for seen in left)
            return
        left.remove(fitting[0])
