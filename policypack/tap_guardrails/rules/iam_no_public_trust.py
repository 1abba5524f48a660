"""Roles name who may assume them: a trust policy for everybody opens the role to every AWS account.

A condition makes up for it that only an organization, an account or a principal of one's own can meet; an
external id does not, for it is no secret.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tap_guardrails.aws import evaluate_each
from tap_guardrails.aws.policy_documents import document, is_of_any_account, one_or_many
from tap_guardrails.model import Known, Outcomes, PropertyRef, Resource, ResourceRule, Settings
from tap_guardrails.model.values import any_of

TRUST: Final = {"aws:iam/role:Role": "assumeRolePolicy", "aws-native:iam:Role": "assumeRolePolicyDocument"}
"""By type, the property with the trust policy."""

EVERYBODY: Final = "*"
NAMED: Final = "the accounts, roles, services or identity providers that may assume the role"
PUBLIC: Final = "Everybody, in every AWS account, may assume the role."

NARROWING: Final = frozenset(
    {
        "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths",
        "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid",
    }
)  # fmt: skip
"""The keys of conditions that only principals of one's own choice can meet.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

STRINGS: Final = ("stringequals", "stringlike")
MATCHING: Final = (*STRINGS, *(f"foranyvalue:{one}" for one in STRINGS), "arnequals", "arnlike")
"""Operators that a value has to match."""


def check(role: Resource, _settings: Settings) -> Outcomes:
    """Check a role by its trust policy; without one AWS takes no role."""
    yield from evaluate_each(
        one_or_many(document(role.at(TRUST[role.type])).at("Statement")), statement, required=NAMED
    )


def statement(ref: PropertyRef) -> Outcomes:
    """Check a statement, which counts only if it allows."""
    effect = ref.at("Effect").text()
    if effect.value not in {None, "Allow"}:
        return
    narrowed = is_narrowed(ref.at("Condition"))
    for finding in () if narrowed else public(ref):
        yield finding if narrowed is False else ref.at("Condition").undecided(NAMED)


def public(ref: PropertyRef) -> Outcomes:
    """Say whom a statement lets in that no one named."""
    if ref.at("NotPrincipal").value is not None:
        yield ref.at("NotPrincipal").violation("Everybody but some may assume the role.", NAMED)
    for principal in principals(ref.at("Principal")):
        match principal.text():
            case Known(name) as prop if name == EVERYBODY:
                yield prop.violation(PUBLIC, NAMED)
            case prop:
                yield from prop.unsettled(NAMED)


def principals(ref: PropertyRef) -> Iterator[PropertyRef]:
    """Go through the principals of a statement: a text, or an object with one or many of each type."""
    principal_types = ref.entries()
    for principal_type in principal_types.value.values() if isinstance(principal_types, Known) else (ref,):
        prop = one_or_many(principal_type)
        yield from prop.value if isinstance(prop, Known) else [principal_type]


def is_narrowed(condition: PropertyRef) -> bool | None:
    """Tell whether a condition asks for what only principals of one's choice can meet; None is undecided."""
    operators = condition.entries()
    if operators.unknown:
        return None
    answers: set[bool | None] = set()
    for operator, keys in (operators.value or {}).items():
        named = keys.entries()
        if operator.casefold() in MATCHING and named.unknown:
            answers.add(None)
        for key, value in (named.value or {}).items():
            if operator.casefold() in MATCHING and key.casefold() in NARROWING:
                answers.add(names_some(value, arn=key.casefold().endswith("arn")))
    return any_of(answers)


def names_some(value: PropertyRef, *, arn: bool) -> bool | None:
    """Tell whether the value of a condition is met by some and not by all; None is undecided."""
    wanted = one_or_many(value)
    if not isinstance(wanted, Known):
        return None if wanted.unknown else False
    texts = [one.text() for one in wanted.value]
    if any(isinstance(one, Known) and is_met_by_all(one.value, arn=arn) for one in texts):
        return False
    return None if any(one.unknown for one in texts) else all(isinstance(one, Known) for one in texts)


def is_met_by_all(pattern: str, *, arn: bool) -> bool:
    """Tell whether principals of every account meet a pattern of accounts, organizations or ARNs."""
    return is_of_any_account(pattern) if arn else pattern.removeprefix("o-")[:1] in {"", "*", "?"}


RULE = ResourceRule(
    name="iam-no-public-trust",
    title="Roles name who may assume them",
    description="The trust policies of IAM roles are for named principals.",
    why="A role that everybody may assume gives all that it may do to every AWS account.",
    fix="Name the principals, or ask for your organization in a condition (`aws:PrincipalOrgID`).",
    severity="high",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
    types=tuple(TRUST),
    level="advisory",
    check=check,
)
