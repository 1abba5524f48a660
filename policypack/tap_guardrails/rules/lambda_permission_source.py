"""A service that may call a function may do so for resources of one's own only.

A service acts for whoever asks it: without a source, S3 or EventBridge of any account can be made to call the
function, the confused deputy.
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws import PERMISSION
from tap_guardrails.aws.policy_documents import is_of_any_account
from tap_guardrails.model import NotApplicable, Outcomes, Resource, ResourceRule, Settings

SERVICE_ENDS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".amazon.com")
EVERYBODY: Final = "*"
SOURCES: Final = ("sourceArn", "sourceAccount", "principalOrgId", "eventSourceToken")
"""What narrows a permission: the resource, its account, an organization, a token of an Alexa skill.

A source that is a pattern for resources of any account narrows nothing.
"""

A_SOURCE: Final = "`sourceArn`, or at the least `sourceAccount`"


def check(permission: Resource, _settings: Settings) -> Outcomes:
    """Check a permission by whom it is for, and by what narrows it."""
    principal = PERMISSION.at(permission, "principal").text()
    if principal.unknown:
        yield principal.undecided("a principal that is known")
        return
    yield from principal.unsettled("an account, an ARN or a service")
    if not principal.settled:
        return
    name = principal.value or ""
    if name != EVERYBODY and not name.endswith(SERVICE_ENDS):
        yield NotApplicable("The permission is for an account or a principal of it, and for no service.")
        return
    narrowing = [PERMISSION.at(permission, name).text() for name in SOURCES]
    if any(one.value is not None and not is_of_any_account(one.value) for one in narrowing):
        return
    by_url_only = PERMISSION.at(permission, "invokedViaFunctionUrl").value is True
    if by_url_only or PERMISSION.at(permission, "functionUrlAuthType").value is not None:
        yield NotApplicable("Who may call the function's URL, its own type of authorization says.")
        return
    if any(one.unknown for one in narrowing):
        yield NotApplicable("The source is not known yet; it comes from another resource.")
        return
    problem = (
        "Everybody, in every AWS account, may call the function."
        if name == EVERYBODY
        else f"The service {principal.ref.found()} may call the function for every account."
    )
    yield PERMISSION.at(permission, "sourceArn").violation(problem, A_SOURCE)


RULE = ResourceRule(
    name="lambda-permission-source",
    title="Services call functions for resources of your own",
    description="Permissions of Lambda functions for services name the source.",
    why="A service acts for whoever asks it, so that any account can have the function called.",
    fix="Set `sourceArn` to the ARN of what calls the function, or `sourceAccount` to its account.",
    severity="medium",
    url="https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-services.html",
    controls=("lambda-1: FSBP Lambda.1, NIST AC-3",),
    types=PERMISSION.types,
    level="advisory",
    check=check,
)
