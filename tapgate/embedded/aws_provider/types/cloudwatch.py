"""CloudWatch: alarms and logs, which are one module in Pulumi."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tapgate.embedded.aws_provider.types.cloudwatch_alarms import ALARMS
from tapgate.embedded.aws_provider.types.cloudwatch_logs import LOGS

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.types.description import Description

DESCRIPTIONS: Final[dict[str, Description]] = {**ALARMS, **LOGS}
