"""What pulumi-aws does with types beyond their inputs and outputs: the TAP stack's and its tests'."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from typing import cast

from tapgate.embedded.aws_provider.description import Description

_FILES = {
    "cloudwatch": "cloudwatch",
    "dynamodb": "dynamodb",
    "iam": "access",
    "kms": "access",
    "lambda": "functions",
    "s3": "s3",
    "sns": "messages",
    "sqs": "messages",
}
MODULES = tuple(_FILES)
"""Pulumi's modules with types that are described."""
_NOTHING = Description(known=False)


def describe(token: str) -> Description:
    """Return the description of a type; an empty one for types that have none."""
    return described(token.removeprefix("aws:").partition("/")[0]).get(token, _NOTHING)


@functools.cache
def described(module: str) -> Mapping[str, Description]:
    """Return the descriptions of a module's types."""
    if module not in _FILES:
        return {}
    file = importlib.import_module(f"{__name__}.{_FILES[module]}")
    descriptions = cast("Mapping[str, Description]", file.DESCRIPTIONS)
    return {token: one for token, one in descriptions.items() if token.startswith(f"aws:{module}/")}
