"""TAP Guardrails: policies for AWS serverless stacks that decide, and say so when they cannot."""

from __future__ import annotations

from typing import Final

PACK_NAME: Final = "tap-guardrails"
PACK_VERSION: Final = "0.1.0"
