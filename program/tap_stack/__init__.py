"""TapStack: an API that ingests items, a queue, a processor, and everything that guards them.

`TapStack` is the component, `TapStackArgs` its arguments. YAML programs reach it as `tap:index:TapStack`
through `packages: {tap: ./program}`, Python programs by `from tap_stack import TapStack`.
"""

from __future__ import annotations

from tap_stack.settings import InvalidTapStackArgs
from tap_stack.stack import TapStack, TapStackArgs

__all__ = ["InvalidTapStackArgs", "TapStack", "TapStackArgs"]
