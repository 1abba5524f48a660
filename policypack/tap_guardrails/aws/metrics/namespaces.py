"""The namespaces that AWS publishes metrics in, and how to tell a slip of the pen from a new name.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterable

AWS_PREFIX: Final = "AWS/"
"""What AWS keeps for itself: nobody else can publish into such a namespace.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

LONG: Final = 6
"""Letters from which on a name that is one letter away from a known one is a slip of it: `RDS` and `DRS` are
two services, `Lamda` is none."""


@functools.cache
def published() -> frozenset[str]:
    """Return the namespaces that AWS is known to publish metrics in."""
    return frozenset(name for name in table("metrics") if name.startswith(AWS_PREFIX))


def is_aws(namespace: str) -> bool:
    """Tell whether a namespace is of those that only AWS publishes in, however its prefix is written."""
    return namespace.lower().startswith(AWS_PREFIX.lower())


@functools.cache
def slip_of(namespace: str) -> str | None:
    """Return the namespace that a name certainly is a slip of: `AWS/Lambda` for `AWS/lambda`, `AWS/Lamda`."""
    if namespace in published() or not is_aws(namespace):
        return None
    meant = certain_slip(namespace[len(AWS_PREFIX) :], (name[len(AWS_PREFIX) :] for name in published()))
    return AWS_PREFIX + meant if meant is not None else None


def certain_slip(written: str, known: Iterable[str]) -> str | None:
    """Return the known name that another one certainly is a slip of.

    It is one when only the capitals differ, or one letter in a long name, and no other known name is as near.
    What differs in a digit is another generation of the same thing.
    """
    lower = written.lower()
    names = list(known)
    capitals = [name for name in names if name.lower() == lower]
    near = capitals or [name for name in names if one_letter_apart(lower, name.lower())]
    return near[0] if len(near) == 1 else None


def one_letter_apart(one: str, other: str) -> bool:
    """Tell whether a long name becomes another by adding, leaving out, changing or swapping one letter."""
    short, long = sorted((len(one), len(other)))
    if long < LONG or long - short > 1:
        return False
    pairs = enumerate(zip(one, other, strict=False))
    start = next((at for at, (ours, theirs) in pairs if ours != theirs), short)
    ours, theirs = one[start:], other[start:]
    swapped = len(ours) == len(theirs) and ours[1::-1] == theirs[:2] and ours[2:] == theirs[2:]
    edits = ((ours[1:], theirs), (ours, theirs[1:]), (ours[1:], theirs[1:]))
    digits = any(character.isdigit() for character in ours[:1] + theirs[:1])
    return not digits and (swapped or any(rest == wanted for rest, wanted in edits))
