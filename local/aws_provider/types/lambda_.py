"""Lambda."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from local.aws_provider.types.lambda_entrances import ENTRANCES
from local.aws_provider.types.lambda_function import FUNCTION
from local.aws_provider.types.lambda_sources import SOURCES

if TYPE_CHECKING:
    from local.aws_provider.types.description import Description

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:lambda/function:Function": FUNCTION,
    **ENTRANCES,
    **SOURCES,
}
