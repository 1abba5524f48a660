"""Whether AWS scopes an action to resources: if not, a policy can allow it on `*` or not at all.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import enum
import functools
from typing import Final

from tap_guardrails.aws.policy_documents import covers
from tap_guardrails.aws.tables import table
from tap_guardrails.aws.wildcards import wild


class Scope(enum.Enum):
    """What AWS scopes an action to. The order is that of the table."""

    NONE = 0
    """No resource."""

    LISTED = 1
    """Resources that it only lists or describes."""

    RESOURCES = 2
    """Resources."""


VPC_ACCESS: Final = frozenset(
    f"ec2:{name}".casefold()
    for name in (
        "AssignPrivateIpAddresses",
        "CreateNetworkInterface",
        "DeleteNetworkInterface",
        "UnassignPrivateIpAddresses",
    )
)
"""What a function in a VPC needs on every resource: its network interfaces are not there yet.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
"""

HARDLY: Final = 0.2
"""Up to this share of what a wildcard matches, those actions do not count that AWS scopes and that only list:
17 of the 190 that `ec2:Describe*` matches."""


@functools.cache
def scopes_of(service: str) -> dict[str, Scope]:
    """Return the known actions of a service, in lower case as IAM compares them, and each one's scope."""
    return {
        name.casefold(): scope
        for scope, names in zip(Scope, table("actions").get(service, ()), strict=False)
        for name in names.split()
    }


@functools.cache
def may_be_everywhere(action: str) -> bool | None:
    """Tell whether an action, or all that a pattern of actions matches, has to be allowed on every resource.

    Returns:
        None when no action of that name is known.
    """
    lower = action.casefold()
    if lower in VPC_ACCESS:
        return True
    service, _, name = lower.partition(":")
    known = scopes_of(service)
    found = [scope for one, scope in known.items() if covers(name, one)] if wild(name) else []
    if name in known:
        found.append(known[name])
    if not found:
        return None
    return Scope.RESOURCES not in found and found.count(Scope.LISTED) <= HARDLY * len(found)
