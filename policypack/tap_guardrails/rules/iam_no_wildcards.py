"""What IAM policies allow is spelled out: neither whole services nor every resource.

Statements that deny may be as wide as they like. A condition does not make up for a wildcard: what it asks
for may be had, and few readers can tell what is left.
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws import evaluate_each, table
from tap_guardrails.aws.policy_documents import (
    ELEMENTS,
    broad_managed_policy,
    covers,
    document,
    is_every_of_a_type,
    is_every_resource,
    is_service_wildcard,
    may_be_everywhere,
    one_or_many,
    strange_elements,
    wild,
)
from tap_guardrails.model import (
    UNKNOWN,
    Boolean,
    Invalid,
    Known,
    NotApplicable,
    Outcomes,
    PropertyRef,
    PropertyValue,
    Resource,
    ResourceRule,
    Settings,
    Stack,
    StringList,
    refs_at,
)
from tap_guardrails.model.property_value import EACH

INLINE: Final = {
    "aws:iam/role:Role": ("inlinePolicies", "policy"),
    "aws-native:iam:Role": ("policies", "policyDocument"),
    "aws-native:iam:User": ("policies", "policyDocument"),
    "aws-native:iam:Group": ("policies", "policyDocument"),
}
"""By type, the list of inline policies, and the property of each with its document."""
DOCUMENTS: Final = {
    "aws:iam/policy:Policy": "policy",
    "aws:iam/rolePolicy:RolePolicy": "policy",
    "aws:iam/userPolicy:UserPolicy": "policy",
    "aws:iam/groupPolicy:GroupPolicy": "policy",
    "aws-native:iam:ManagedPolicy": "policyDocument",
    "aws-native:iam:Policy": "policyDocument",
    "aws-native:iam:RolePolicy": "policyDocument",
    "aws-native:iam:UserPolicy": "policyDocument",
    "aws-native:iam:GroupPolicy": "policyDocument",
    "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy": "inlinePolicy",
    "aws-native:sso:PermissionSet": "inlinePolicy",
}
"""By type, the property with the policy's document."""

ATTACHED: Final = {
    **{token: path for token, (path,) in table("policy_attachments").items()},
    **{token: "managedPolicyArns[*]" for token in INLINE if token.startswith("aws-native:")},
    "aws-native:budgets:BudgetsAction": "definition.iamActionDefinition.policyArn",
    "aws-native:sso:PermissionSet": "managedPolicies[*]",
}
"""By type, the property with the ARNs of the policies that it attaches: one, or a list (`[*]`)."""

DECLARED: Final = ("aws:iam/policy:Policy", "aws-native:iam:ManagedPolicy")
"""Policies of one's own, each evaluated where it is declared."""

SPELLED_OUT: Final = "a policy document whose statements name exact actions and resources"
EXACT_ACTIONS: Final = "the exact actions that are used"
EXACT_RESOURCES: Final = "the ARNs of the resources that are used"
NOT_BROAD: Final = "the ARNs of policies that allow no whole services"


def is_unscoped(action: str, settings: Settings) -> bool | None:
    """Tell whether an action may be allowed on every resource; None when it is not known."""
    lower = action.casefold()
    patterns = (*settings.strings("allowedOnEveryResource"), *settings.strings("moreUnscopedActions"))
    if any(covers(pattern.casefold(), lower) for pattern in patterns):
        return True
    return False if is_service_wildcard(lower) else may_be_everywhere(lower)


def check(resource: Resource, settings: Settings) -> Outcomes:
    """Check a policy, a role with its inline policies, or the attachment of a policy."""
    path = ATTACHED.get(resource.type)
    if resource.type in INLINE:
        inline, policy_document = INLINE[resource.type]
        yield from evaluate_each(
            resource.at(inline).items(),
            lambda policy: allowances(policy.at(policy_document), settings, absent=""),
            required=SPELLED_OUT,
        )
    elif resource.type in DOCUMENTS:
        absent = "" if path else "The policy has no document."
        yield from allowances(resource.at(DOCUMENTS[resource.type]), settings, absent)
    if path:
        yield from attachments(resource, path, settings)


def attachments(resource: Resource, path: str, settings: Settings) -> Outcomes:
    """Check all that a resource attaches; a list may be empty, which takes every policy away."""
    arns = resource.at(*path.removesuffix(EACH).split("."))
    if path.endswith(EACH):
        yield from evaluate_each(
            arns.items(), lambda arn: not_too_broad(arn.pattern(), settings), required=NOT_BROAD
        )
    elif arns.text().absent and "." not in path:
        yield arns.violation("The attachment names no policy.", "the ARN of a policy")
    else:
        yield from not_too_broad(arns.pattern(), settings)
    if resource.type not in {*INLINE, *DOCUMENTS} and any(made_in_stack(resource, path)):
        yield NotApplicable("What the ARN was made from tells in the stack whether its policy is evaluated.")


def made_in_stack(resource: Resource, path: str) -> list[PropertyRef]:
    """Return the ARNs of which only what they were made from tells whose policies they are."""
    refs = refs_at(resource, path.split("."))
    unknown = [
        ref for ref in refs if ref.text().unknown and not (ref.pattern().value or "").startswith("arn:")
    ]
    return [ref for ref in unknown if ref.path.endswith("]") or not path.endswith(EACH)]


def in_stack(resource: Resource, stack: Stack, _settings: Settings) -> Outcomes:
    """Require that each ARN that is not known yet is of a policy of the stack, not of one made elsewhere."""
    path = ATTACHED.get(resource.type)
    unknown = made_in_stack(resource, path) if path else []
    if unknown and len(unknown) > len(stack.dependencies_of(resource, unknown[0].top, DECLARED)):
        for ref in unknown:
            yield ref.undecided(NOT_BROAD)


def not_too_broad(arn: PropertyValue[str], settings: Settings) -> Outcomes:
    """Require that a policy is none of AWS's own that allow whole services."""
    name = broad_managed_policy(arn.value or "")
    if isinstance(arn, Invalid):
        yield arn.invalid("the ARN of a policy")
    elif name is not None and name not in settings.strings("allowedManagedPolicies"):
        problem = f"AWS's policy {arn.ref.found()} allows whole services."
        yield arn.violation(problem, "a policy with the exact actions that are used")


def allowances(policy: PropertyRef, settings: Settings, absent: str) -> Outcomes:
    """Check a policy document."""
    content = document(policy)
    if content.value is None:
        yield from [policy.violation(absent, SPELLED_OUT)] if absent else []
        return
    for ref in strange_elements(content, ELEMENTS):
        yield ref.violation(f"`{ref.path}` is no element of a policy.", SPELLED_OUT)
    yield from evaluate_each(
        one_or_many(content.at("Statement")),
        lambda one: statement(one, settings),
        required=SPELLED_OUT,
        absent="The policy has no statements.",
    )


def statement(ref: PropertyRef, settings: Settings) -> Outcomes:
    """Check a statement by its effect: only what is allowed can be too much."""
    for strange in strange_elements(ref):
        yield strange.violation(f"`{strange.path}` is no element of a statement.", SPELLED_OUT)
    effect = ref.at("Effect").text()
    if effect.value == "Allow":
        yield from allowed(ref, settings)
    elif not effect.unknown:
        problem = "The statement neither allows nor denies."
        yield from effect.must(lambda word: word == "Deny", problem=problem, required="Allow or Deny")
    elif any(True for _ in allowed(ref, settings)):
        yield effect.undecided("Deny, or exact actions and resources")


def allowed(ref: PropertyRef, settings: Settings) -> Outcomes:
    """Check what a statement allows."""
    all_but_some, everywhere_but = ref.at("NotAction"), ref.at("NotResource")
    yield from exempting(all_but_some, "Everything but some actions is allowed.", EXACT_ACTIONS)
    yield from exempting(everywhere_but, "It is allowed on everything but some resources.", EXACT_RESOURCES)
    actions, resources = one_or_many(ref.at("Action")), one_or_many(ref.at("Resource"))
    yield from evaluate_each(
        actions,
        lambda one: action(one.text(), settings),
        required=EXACT_ACTIONS,
        absent="The statement names no action." if all_but_some.value is None else "",
    )
    scoped, new = first_with(actions, settings, answer=False), first_with(actions, settings, answer=None)
    if scoped is not None or resources.absent:
        yield from evaluate_each(
            resources,
            lambda one: exact_resource(one.pattern(), scoped.found() if scoped else "It", settings),
            required=EXACT_RESOURCES,
            absent="The statement names no resource." if everywhere_but.value is None else "",
        )
    elif new is not None and any(
        evaluate_each(
            resources, lambda one: exact_resource(one.pattern(), "It", settings), required=EXACT_RESOURCES
        )
    ):
        yield new.not_known("action", "an action that AWS scopes to no resource", "moreUnscopedActions")


def exempting(ref: PropertyRef, problem: str, required: str) -> Outcomes:
    """Require that an element that says all but some is not there."""
    if ref.value is UNKNOWN:
        yield ref.undecided(required)
    elif ref.value is not None:
        yield ref.violation(problem, required)


def action(prop: PropertyValue[str], settings: Settings) -> Outcomes:
    """Require that an action is spelled out."""
    yield from prop.must(
        lambda text: not (is_service_wildcard(text) or (settings.boolean("strict") and wild(text))),
        problem=f"{prop.ref.found()} allows more actions than anyone can oversee.",
        required=EXACT_ACTIONS,
    )


def exact_resource(prop: PropertyValue[str], action_shown: str, settings: Settings) -> Outcomes:
    """Require that a resource is spelled out."""
    strict = settings.boolean("strict")
    yield from prop.must(
        lambda text: not (is_every_resource(text) or (strict and is_every_of_a_type(text))),
        problem=f"{action_shown} is allowed on every resource.",
        required=EXACT_RESOURCES,
    )


def first_with(
    actions: PropertyValue[list[PropertyRef]], settings: Settings, *, answer: bool | None
) -> PropertyRef | None:
    """Return the first action of which it is so, or not, or not known, that it may be allowed everywhere.

    One that is unknown until deployment is evaluated by itself.
    """
    for ref in actions.value or ():
        prop = ref.text()
        if isinstance(prop, Known) and is_unscoped(prop.value, settings) is answer:
            return ref
    return None


RULE = ResourceRule(
    name="iam-no-wildcards",
    title="IAM policies are spelled out",
    description="IAM policies allow exact actions on exact resources.",
    why="Whoever takes over a function gets all that its role may do, and a wildcard hides how much that is.",
    fix="Name the actions that are used, and the ARNs of the resources that they are used on.",
    severity="high",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    controls=("iam-1: FSBP IAM.1", "iam-21: FSBP IAM.21, NIST AC-6"),
    types=tuple(dict.fromkeys((*DOCUMENTS, *INLINE, *ATTACHED))),
    settings=(
        Boolean(
            "strict",
            default=False,
            description="Also refuse wildcards within an action's name (`s3:Get*`), and resources that are "
            "everything of a type in one account (`arn:aws:dynamodb:eu-west-2:123456789012:table/*`).",
            stricter=True,
        ),
        StringList(
            "allowedOnEveryResource",
            (),
            "Actions that may be allowed on `*`, besides those that are known to be scoped to no resource; "
            "`*` and `?` are wildcards here too.",
        ),
        StringList(
            "moreUnscopedActions",
            (),
            "Actions that AWS scopes to no resource and this version of the pack does not know yet.",
        ),
        StringList(
            "allowedManagedPolicies",
            (),
            "Names of AWS's own policies that may be attached although they allow whole services.",
        ),
    ),
    check=check,
    check_in_stack=in_stack,
)
