"""Roles name who may assume them: a trust policy for everybody opens the role to every AWS account.

A condition makes up for it that only an organization, an account or a principal of one's own can meet; an
external id does not, for it is no secret. An identity provider that many share (GitHub, GitLab) signs for all
of its tenants: a condition on the subject says which of them is meant.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from tap_guardrails.aws import evaluate_each
from tap_guardrails.aws.policy_documents import (
    WILD,
    covers,
    document,
    is_of_any_account,
    one_or_many,
    texts,
    wild,
)
from tap_guardrails.model import Known, Outcomes, PropertyRef, Resource, ResourceRule, Settings
from tap_guardrails.model.values import Partial, any_of

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

WEB_IDENTITY: Final = "sts:assumerolewithwebidentity"
SUBJECT: Final = "a condition on the `sub` of the identity provider that names whose subjects are meant"
TENANTS_IN_SUBJECT: Final = frozenset(
    {
        "agent.buildkite.com", "app.terraform.io", "gitlab.com", "oidc.codefresh.io", "proidc.upbound.io",
        "oidc-configuration.audit-log.githubusercontent.com", "scalr.io", "studio.datachain.ai/api",
        "token.actions.githubusercontent.com", "tokens.cloud.shisho.dev",
        "vstoken.actions.githubusercontent.com",
    }
)  # fmt: skip
"""Identity providers that many share, and whose tokens all of them may ask for any audience."""

OF_ANY_TENANT: Final = frozenset({"base_ref", "context", "environment", "head_ref", "ref", "workflow"})
"""What a subject of GitHub may begin with, as its owner wishes, and that anybody's may.

https://docs.github.com/en/actions/reference/security/oidc#customizing-the-token-claims
"""

STRINGS: Final = ("stringequals", "stringequalsignorecase", "stringlike")
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
    narrowed = is_narrowed(ref.at("Condition"), asks_for_some)
    for finding in () if narrowed else public(ref):
        yield finding if narrowed is False else ref.at("Condition").undecided(NAMED)
    yield from federated(ref)


def federated(ref: PropertyRef) -> Outcomes:
    """Require that a trust in an identity provider says whose subjects are meant."""
    by_token = any(covers(action.casefold(), WEB_IDENTITY) for action in texts(ref.at("Action")))
    named = one_or_many(ref.at("Principal", "Federated"))
    if not by_token or not (named.value or named.unknown):
        return
    condition = ref.at("Condition")
    narrowed = is_narrowed(condition, limits_subject)
    if narrowed is None:
        yield condition.undecided(SUBJECT)
    elif not narrowed:
        problem = "Whoever gets a token of the identity provider may assume the role."
        fix = "Add `StringEquals` or `StringLike` on `<provider>:sub`, with the organization spelled out."
        yield condition.violation(problem, SUBJECT, fix)


def public(ref: PropertyRef) -> Outcomes:
    """Say whom a statement lets in that no one named."""
    if ref.at("NotPrincipal").value is not None:
        yield ref.at("NotPrincipal").violation("Everybody but some may assume the role.", NAMED)
    for principal in principals(ref.at("Principal")):
        prop, value = principal.pattern(), principal.value
        if prop.value == EVERYBODY:
            yield prop.violation(PUBLIC, NAMED)
        elif not (isinstance(value, Partial) and value.text.startswith("arn:")):
            yield from prop.unsettled(NAMED)


def principals(ref: PropertyRef) -> Iterator[PropertyRef]:
    """Go through the principals of a statement: a text, or an object with one or many of each type."""
    principal_types = ref.entries()
    for principal_type in principal_types.value.values() if isinstance(principal_types, Known) else (ref,):
        prop = one_or_many(principal_type)
        yield from prop.value if isinstance(prop, Known) else [principal_type]


def is_narrowed(condition: PropertyRef, narrows: Callable[[str, PropertyRef], bool | None]) -> bool | None:
    """Tell whether one of the keys of a condition narrows down who meets it; None is undecided."""
    operators = condition.entries()
    if operators.unknown:
        return None
    answers: set[bool | None] = set()
    for operator, keys in (operators.value or {}).items():
        if operator.casefold() in MATCHING:
            named = keys.entries()
            answers.update({None} if named.unknown else set())
            answers.update(narrows(key.casefold(), value) for key, value in (named.value or {}).items())
    return any_of(answers)


def asks_for_some(key: str, value: PropertyRef) -> bool | None:
    """Tell whether a key asks for what only principals of one's choice can meet; None is undecided."""
    if key not in NARROWING:
        return False
    return names_some(value, is_of_any_account if key.endswith("arn") else is_any_account)


def limits_subject(key: str, value: PropertyRef) -> bool | None:
    """Tell whether a key asks for a claim that not all tenants of a provider have; None is undecided."""
    provider, _, claim = key.rpartition(":")
    if provider in {"", "aws", "sts"} or claim in {"amr", "iss"}:
        return False
    if claim == "aud" and provider in TENANTS_IN_SUBJECT:
        return False
    return names_some(value, is_of_any_tenant)


def names_some(value: PropertyRef, met_by_all: Callable[[str], bool]) -> bool | None:
    """Tell whether the value of a condition is met by some and not by all; None is undecided."""
    wanted = one_or_many(value)
    if not isinstance(wanted, Known):
        return None if wanted.unknown else False
    read = [one.pattern() for one in wanted.value]
    if any(isinstance(one, Known) and met_by_all(one.value) for one in read):
        return False
    return None if any(one.unknown for one in read) else all(isinstance(one, Known) for one in read)


def is_any_account(pattern: str) -> bool:
    """Tell whether every account or organization meets a pattern of their ids."""
    return pattern.removeprefix("o-")[:1] in {"", *WILD}


def is_of_any_tenant(pattern: str) -> bool:
    """Tell whether a pattern of subjects leaves open whose they are: `*`, `repo:*`, `repo:acme*`."""
    first, second, *_ = [*re.split(r"[:/]", pattern, maxsplit=2), ""]
    return wild(first) or (":" in pattern and (wild(second) or first in OF_ANY_TENANT))


RULE = ResourceRule(
    name="iam-no-public-trust",
    title="Roles name who may assume them",
    description="The trust policies of IAM roles are for named principals, and for named subjects of shared "
    "identity providers.",
    why="A role that everybody may assume gives all that it may do to every AWS account.",
    fix="Name the principals, or ask for an organization (`aws:PrincipalOrgID`) or a subject in a condition.",
    severity="high",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
    types=tuple(TRUST),
    level="advisory",
    check=check,
)
