"""What the wildcards of a policy's actions and resources come to.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from typing import Final

from tap_guardrails.aws.policy_documents import covers

WILD: Final = "*?"
SOMETHING: Final = "\x00"
"""Stands for a part of an ARN that no pattern spells out, so that only a wildcard matches it."""

RESOURCE_TYPE: Final = re.compile(r"[a-z][a-zA-Z0-9-]*[:/]")
BROAD_MANAGED: Final = re.compile(r"AdministratorAccess.*|PowerUserAccess|.*FullAccess.*")
MANAGED_POLICY: Final = re.compile(r"arn:[^:]+:iam::aws:policy/(?:.*/)?([^/]+)")


def wild(text: str) -> bool:
    """Tell whether there is a wildcard in a text."""
    return any(character in text for character in WILD)


def is_whole_service(action: str) -> bool:
    """Tell whether an action is all actions, or all of a service: `*`, `s3:*`, `s3:?*`, `s*:Get`."""
    service, _, name = action.partition(":")
    return wild(service) or ("*" in name and not name.strip(WILD))


def is_every_resource(resource: str) -> bool:
    """Tell whether a resource is everything, or everything of a service, whatever region and account.

    So are `*`, `arn:aws:*`, `arn:aws:s3:::*`, `arn:aws:s3:::*/*` and `arn:aws:lambda:*:*:*`.
    """
    if covers(resource, ":".join(["arn", *[SOMETHING] * 5])):
        return True
    _, partition, service, *_ = [*resource.split(":", 3), "", "", ""]
    origin = ["arn", SOMETHING if wild(partition) else partition, SOMETHING if wild(service) else service]
    everything = any(covers(resource, ":".join([*origin, at, at, SOMETHING])) for at in (SOMETHING, ""))
    return everything or is_every_bucket(resource)


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
    return "*" in identifier and not identifier.strip(WILD)


def broad_managed_policy(arn: str) -> str | None:
    """Return the name of one of AWS's own policies that allows whole services, given its ARN.

    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html
    """
    match = MANAGED_POLICY.fullmatch(arn)
    return match[1] if match and BROAD_MANAGED.fullmatch(match[1]) else None
