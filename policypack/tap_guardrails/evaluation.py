"""Running a rule over a resource, so that whatever happens there is a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.model import Finding, NotApplicable, Outcome, Resource, Settings, Stack, Verdict
from tap_guardrails.model.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tap_guardrails.model.rule import ResourceRule, StackRule


@record
class Evaluation:
    """What a rule says of one resource.

    Attributes:
        findings: What is wrong; empty when the resource is compliant or the rule does not apply.
        reason: Why the rule does not apply; empty when it does.
    """

    findings: tuple[Finding, ...] = ()
    reason: str = ""


COMPLIANT: Final = Evaluation()


def evaluate_resource(rule: ResourceRule, resource: Resource, settings: Settings) -> Evaluation:
    """Judge one resource by its own inputs."""
    return evaluated(lambda: rule.check(resource, settings))


@record
class StackEvaluation:
    """What a rule says of a stack.

    Attributes:
        findings: What is wrong, with the resource that it is wrong with.
        reason: Why the rule applies to nothing in the stack; empty when it does.
    """

    findings: tuple[tuple[Resource, Finding], ...]
    reason: str


def evaluate_stack(rule: StackRule, stack: Stack, settings: Settings) -> StackEvaluation:
    """Judge each resource of a stack that a rule is about."""
    evaluations = [
        (resource, evaluate_in_stack(rule, resource, stack, settings)) for resource in stack.of(*rule.types)
    ]
    reasons = [evaluation.reason for _, evaluation in evaluations]
    none = f"The stack has no {rule.types_shown}."
    return StackEvaluation(
        tuple((resource, finding) for resource, evaluation in evaluations for finding in evaluation.findings),
        "" if not all(reasons) else (reasons or [none])[-1],
    )


def evaluate_in_stack(rule: StackRule, resource: Resource, stack: Stack, settings: Settings) -> Evaluation:
    """Judge one resource by the stack it is in."""
    return evaluated(lambda: rule.check(resource, stack, settings))


def evaluated(check: Callable[[], Iterable[Outcome]]) -> Evaluation:
    """Collect what a check yields; a check that raises has decided nothing, so nothing passes."""
    try:
        outcomes = tuple(check())
    except Exception as error:  # noqa: BLE001 - whatever a rule raises, the resource must not pass
        return Evaluation((failure(error),))
    if not outcomes:
        return COMPLIANT
    findings = tuple(outcome for outcome in outcomes if isinstance(outcome, Finding))
    reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, NotApplicable)]
    return Evaluation(findings, "" if findings or not reasons else reasons[0])


def failure(error: Exception) -> Finding:
    """Make a finding of an exception; its text may quote a secret, so only its type is told."""
    return Finding(
        Verdict.ERROR,
        f"The policy failed with {type(error).__name__} and could not judge this resource.",
        "(unknown)",
        "nothing that can be shown",
        "a policy that runs to its end",
        "Report this as a bug of the policy pack, with the resource's declaration; to go on meanwhile, "
        "disable this policy in the policy configuration.",
    )
