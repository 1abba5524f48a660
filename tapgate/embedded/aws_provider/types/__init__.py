"""What pulumi-aws does with the TAP stack's types beyond their inputs and outputs, one description a type."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, cast

from tapgate.embedded.aws_provider.types.description import Description

if TYPE_CHECKING:
    from collections.abc import Mapping

_TABLES = {
    "cloudwatch": ("cloudwatch_alarms", "cloudwatch_logs"),
    "dynamodb": ("dynamodb",),
    "iam": ("iam",),
    "kms": ("kms",),
    "lambda": ("lambda_function", "lambda_entrances", "lambda_sources"),
    "s3": ("s3",),
    "sns": ("sns",),
    "sqs": ("sqs",),
}
MODULES = tuple(_TABLES)
"""Pulumi's modules with types that are described."""
_NOTHING = Description(known=False)


def describe(token: str) -> Description:
    """Return the description of a type; an empty one for types that have none.

    Args:
        token: Type token, e.g. `aws:kms/key:Key`.
    """
    return described(token.removeprefix("aws:").partition("/")[0]).get(token, _NOTHING)


@functools.cache
def described(module: str) -> Mapping[str, Description]:
    """Return the descriptions of a module's types."""
    found: dict[str, Description] = {}
    for name in _TABLES.get(module, ()):
        table = importlib.import_module(f"tapgate.embedded.aws_provider.types.{name}")
        found |= cast("dict[str, Description]", table.DESCRIPTIONS)
    return found
