"""Checks the provider's own configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.aws_provider.checking import Failure, check
from local.aws_provider.sdk_source import read_provider
from local.aws_provider.settings import unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.aws_provider.values import Value


def check_config(inputs: Mapping[str, Value]) -> list[Failure]:
    """Check configuration: `aws:` keys of the stack, or the arguments of an `aws.Provider`.

    Returns:
        Why it is refused; an empty list when it is not.
    """
    _, failures = check(read_provider(), unpack(inputs))
    return failures
