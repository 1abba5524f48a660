"""Policy documents, as JSON texts or as objects, and what their patterns of actions and resources come to.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import enum
import functools
import re
from typing import Final

from tap_guardrails.aws import table
from tap_guardrails.model import Absent, Known, PropertyRef, PropertyValue
from tap_guardrails.model.property_value import DocumentError
from tap_guardrails.model.values import Partial

DOCUMENT: Final = "a policy document in JSON"
UNREPEATED: Final = "a policy document in which no key stands twice"

ELEMENTS: Final = frozenset({"Version", "Id", "Statement"})
STATEMENT_ELEMENTS: Final = frozenset(
    {
        "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource",
        "Condition",
    }
)  # fmt: skip


def document(ref: PropertyRef) -> PropertyRef:
    """Return a property's document, parsed if it is a text; with an `invalid_parent` when that is none."""
    return ref.document(DOCUMENT, unrepeated)


def unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object of its fields.

    Raises:
        DocumentError: A key stands twice: the grammar forbids it, and parsers differ on it.
    """
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise DocumentError(UNREPEATED)
    return fields


def one_or_many(ref: PropertyRef) -> PropertyValue[list[PropertyRef]]:
    """Read what the grammar lets stand by itself or in a list: statements, actions, resources.

    An empty list, which the grammar forbids, is as good as none.
    """
    if isinstance(ref.value, (str, Partial, dict, bool, float)) and not ref.invalid_parent:
        return Known([ref], ref)
    prop = ref.items()
    return Absent(ref) if isinstance(prop, Known) and not prop.value else prop


def texts(ref: PropertyRef) -> list[str]:
    """Return the texts that are known of what stands by itself or in a list."""
    return [text.value for one in one_or_many(ref).value or () if isinstance(text := one.text(), Known)]


def strange_elements(ref: PropertyRef, elements: frozenset[str] = STATEMENT_ELEMENTS) -> list[PropertyRef]:
    """Return the elements of a statement, or a document, that the grammar does not know, nulls left out."""
    return [field for name, field in (ref.entries().value or {}).items() if name not in elements]


def covers(pattern: str, text: str) -> bool:
    """Tell whether a pattern of a policy matches a text: `*` is any characters, `?` is one.

    Takes time proportional to the product of the lengths at worst, whatever the pattern.
    """
    at, here, star, retry = 0, 0, -1, 0
    while here < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, retry = at, here
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[here]):
            at, here = at + 1, here + 1
        elif star >= 0:
            retry += 1
            at, here = star + 1, retry
        else:
            return False
    return not pattern[at:].strip("*")


WILD: Final = "*?"
SOMETHING: Final = "\x00"
"""Stands for a part of an ARN that no pattern spells out, so that only a wildcard matches it."""

IDENTIFIERS: Final = (SOMETHING, f"{SOMETHING}/{SOMETHING}", f"{SOMETHING}:{SOMETHING}")
"""Last parts of ARNs: a name alone, or after its type, as each service writes it."""

RESOURCE_TYPE: Final = re.compile(r"[a-z][a-zA-Z0-9-]*[:/]")
BROAD_NAME: Final = re.compile(r"AdministratorAccess.*|PowerUserAccess|.*FullAccess.*")
MANAGED_POLICY: Final = re.compile(r"arn:[^:]+:iam::aws:policy/(?:.*/)?([^/]+)")


def wild(text: str) -> bool:
    """Tell whether there is a wildcard in a text."""
    return any(character in text for character in WILD)


def is_service_wildcard(action: str) -> bool:
    """Tell whether an action is all actions, or all of a service: `*`, `s3:*`, `s3:?*`, `s*:Get`."""
    service, _, name = action.partition(":")
    return wild(service) or ("*" in name and not name.strip(WILD))


def is_every_resource(resource: str) -> bool:
    """Tell whether a resource is everything, or everything of a service, whatever region and account.

    So are `*`, `arn:aws:*`, `arn:aws:s3:::*`, `arn:aws:s3:::*/*`, `arn:aws:lambda:*:*:*`,
    `arn:aws:dynamodb:*:*:*/*`, and what is of the one type that an action is on: `arn:aws:iam::*:role/*`.
    """
    if covers(resource, ":".join(["arn", *[SOMETHING] * 5])):
        return True
    _, partition, service, *_ = [*resource.split(":", 3), "", "", ""]
    origin = ["arn", SOMETHING if wild(partition) else partition, SOMETHING if wild(service) else service]
    everything = any(
        covers(resource, ":".join([*origin, at, at, identifier]))
        for at in (SOMETHING, "")
        for identifier in IDENTIFIERS
    )
    *_, region, account, _ = resource.split(":", 5) if resource.count(":") >= 5 else [""] * 3
    anywhere = bool(account) and not (region + account).strip(WILD)
    return everything or is_every_bucket(resource) or (anywhere and is_every_of_a_type(resource))


def is_every_bucket(resource: str) -> bool:
    """Tell whether a resource is in every bucket: `arn:aws:s3:::*/*`, `arn:aws:s3:::*/logs/*`.

    A bucket's ARN has neither region nor account, so that nothing narrows it down.
    """
    bucket, _, _ = [*resource.split(":", 5), *[""] * 5][5].partition("/")
    return [*resource.split(":"), "", ""][2] == "s3" and "*" in bucket and not bucket.strip(WILD)


def is_every_of_a_type(resource: str) -> bool:
    """Tell whether a resource is everything of a type: `arn:aws:sqs:eu-west-2:1:*`, `…:table/*`."""
    sections = resource.split(":", 5)
    if len(sections) < 6:
        return is_every_resource(resource)
    identifier = sections[5]
    if sections[2] != "s3":
        identifier = RESOURCE_TYPE.sub("", identifier, count=1)
    return "*" in identifier and not identifier.strip(f"{WILD}/:")


def broad_managed_policy(arn: str) -> str | None:
    """Return the name of one of AWS's own policies that allows whole services, given its ARN.

    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html
    """
    match = MANAGED_POLICY.fullmatch(arn)
    broad = match and (BROAD_NAME.fullmatch(match[1]) or match[1] in broad_policies())
    return match[1] if match and broad else None


@functools.cache
def broad_policies() -> frozenset[str]:
    """Return the names of AWS's own policies that allow whole services and do not say so by their names."""
    return frozenset(name for names in table("broad_policies").values() for name in names.split())


class Extent(enum.Enum):
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
        "AssignPrivateIpAddresses", "CreateNetworkInterface", "DeleteNetworkInterface",
        "UnassignPrivateIpAddresses",
    )
)  # fmt: skip
"""What a function in a VPC needs on every resource: its network interfaces are not there yet.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
"""

HARDLY: Final = 0.2
"""Up to this share of what a wildcard matches, those actions do not count that AWS scopes and that only list:
17 of the 190 that `ec2:Describe*` matches."""


@functools.cache
def extents_of(service: str) -> dict[str, Extent]:
    """Return the known actions of a service, in lower case as IAM compares them, and each one's scope."""
    return {
        name.casefold(): extent
        for extent, names in zip(Extent, table("actions").get(service, ()), strict=False)
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
    known = extents_of(service)
    extents = [extent for one, extent in known.items() if covers(name, one)] if wild(name) else []
    if name in known:
        extents.append(known[name])
    if not extents:
        return None
    return Extent.RESOURCES not in extents and extents.count(Extent.LISTED) <= HARDLY * len(extents)


def is_of_any_account(arn: str) -> bool:
    """Tell whether a pattern of ARNs matches ones of any account.

    Buckets, whose ARNs have no account, and APIs are unique by their names and identifiers.
    """
    steps = arn.split(":", 5)
    if len(steps) <= 5:
        return "*" in arn
    _, _, service, _, account, resource = steps
    if not account or service == "execute-api":
        return resource[:1] in {"*", "?"}
    return "*" in account or "?" in account
