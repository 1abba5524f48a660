"""Where a resource is: CloudWatch looks only at metrics of its own region and account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.model import Known, Unknown
from tap_guardrails.model.values import has_unknown

if TYPE_CHECKING:
    from tap_guardrails.model import Provider, Resource

ACCOUNT_INPUTS: Final = (
    "accessKey",
    "allowedAccountIds",
    "assumeRole",
    "assumeRoleWithWebIdentity",
    "assumeRoles",
    "endpoints",
    "forbiddenAccountIds",
    "profile",
    "secretKey",
    "sharedConfigFiles",
    "sharedCredentialsFiles",
)
"""The inputs of a provider that say which account it works in.

https://www.pulumi.com/registry/packages/aws/api-docs/provider/
"""


def same_location(one: Resource, other: Resource) -> bool | None:
    """Tell whether two resources are in one region of one account; None when that is undecided."""
    ours, theirs = own_region(one), own_region(other)
    if ours is None or theirs is None:
        return None
    same_provider = one.provider is not None and one.provider == other.provider
    if same_provider and ours == theirs:
        return True
    ours, theirs = ours or provider_region(one), theirs or provider_region(other)
    if ours and theirs and ours != theirs:
        return False
    if not ours or not theirs:
        return None
    return True if same_provider or same_account(one.provider, other.provider) else None


def own_region(resource: Resource) -> str | None:
    """Return the region that a resource sets for itself, empty when it leaves it to the provider.

    Returns:
        None when the resource's region was made from something that is not known yet.
    """
    declared = resource.declared
    match declared.at("region").text():
        case Known(region):
            return region
        case Unknown() if declared.property_dependencies.get("region"):
            return None
        case _:
            return ""


def provider_region(resource: Resource) -> str:
    """Return the region of a resource's provider, empty when it is not known."""
    if resource.provider is None:
        return ""
    reading = resource.provider.at("region").text()
    return reading.value if isinstance(reading, Known) else ""


def same_account(one: Provider | None, other: Provider | None) -> bool:
    """Tell whether two providers certainly work in one account: nothing that chooses it differs."""
    if one is None or other is None:
        return False
    pairs = [(one.at(name).value, other.at(name).value) for name in ACCOUNT_INPUTS]
    return all(ours == theirs and not has_unknown(ours) for ours, theirs in pairs)


def region_of(resource: Resource) -> str:
    """Return the region that a resource is in, empty while it is not known."""
    own = own_region(resource)
    return "" if own is None else own or provider_region(resource)
