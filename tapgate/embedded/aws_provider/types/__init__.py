"""What pulumi-aws does with the TAP stack's types beyond their inputs and outputs, one description a type."""

from __future__ import annotations

import importlib
from typing import cast

from tapgate.embedded.aws_provider.types.description import Description

_MODULES = frozenset({"kms", "s3", "dynamodb", "sqs", "iam", "cloudwatch", "lambda", "sns"})
_NOTHING = Description(known=False)


def describe(token: str) -> Description:
    """Give the description of a type; an empty one for types that have none.

    Args:
        token: Type token, e.g. `aws:kms/key:Key`.
    """
    module = token.removeprefix("aws:").partition("/")[0]
    if module not in _MODULES:
        return _NOTHING
    table = importlib.import_module(
        f"tapgate.embedded.aws_provider.types.{module.replace('lambda', 'lambda_')}"
    )
    descriptions = cast("dict[str, Description]", table.DESCRIPTIONS)
    return descriptions.get(token, _NOTHING)
