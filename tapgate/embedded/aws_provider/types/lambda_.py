"""Lambda."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tapgate.embedded.aws_provider.types.lambda_entrances import ENTRANCES
from tapgate.embedded.aws_provider.types.lambda_function import FUNCTION
from tapgate.embedded.aws_provider.types.lambda_sources import SOURCES

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.types.description import Description

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:lambda/function:Function": FUNCTION,
    **ENTRANCES,
    **SOURCES,
}
