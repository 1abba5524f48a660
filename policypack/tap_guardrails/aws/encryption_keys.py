"""Keys that encrypt data at rest: the customer's own, or those that AWS keeps for a service.

https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-mgmt
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.resource_types import KEY
from tap_guardrails.model import (
    Enum,
    Invalid,
    Known,
    Outcome,
    PropertyRef,
    Resource,
    Stack,
    Unknown,
    as_set,
    invalid,
    undecided,
    violation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

CUSTOMER: Final = "customer"
AWS: Final = "aws"

KEY_SETTING: Final = Enum(
    "key",
    CUSTOMER,
    "Whose key: `customer` wants a KMS key of your own, `aws` also takes one that AWS manages.",
    (CUSTOMER, AWS),
)

KEY_TYPES: Final = (
    *KEY.types,
    "aws:kms/alias:Alias",
    "aws:kms/externalKey:ExternalKey",
    "aws:kms/replicaExternalKey:ReplicaExternalKey",
    "aws:kms/replicaKey:ReplicaKey",
    "aws-native:kms:Alias",
    "aws-native:kms:ReplicaKey",
)
"""Whatever names a customer's key; an alias that a program makes cannot begin with `alias/aws/`."""

AWS_ALIAS: Final = re.compile(r"(^|:)alias/aws/")

CUSTOMER_KEY: Final = "the ARN, id or alias of a KMS key of your own"
ANY_KEY: Final = "the ARN, id or alias of a KMS key, yours or one that AWS manages"


def named_key(owner: Resource, stack: Stack, node: PropertyRef, whose: str = CUSTOMER) -> Iterator[Outcome]:
    """Require that a property names a KMS key; an unknown one has to be made from some key.

    Args:
        owner: The resource whose data the key encrypts.
        stack: Its stack.
        node: The property.
        whose: `CUSTOMER` or `AWS`, as in `KEY_SETTING`.
    """
    required = CUSTOMER_KEY if whose == CUSTOMER else ANY_KEY
    match as_set(owner, node).text():
        case Known(name) if whose == AWS or not AWS_ALIAS.search(name):
            return
        case Known() as reading:
            yield violation(reading, "The key is one that AWS manages.", required)
        case Invalid() as reading:
            yield invalid(reading, required)
        case Unknown() as reading:
            if not stack.dependencies_of(owner, node.top, KEY_TYPES):
                yield undecided(reading, required)
        case reading:
            yield violation(
                reading, "No key of your own is named." if whose == CUSTOMER else "No key is named.", required
            )
