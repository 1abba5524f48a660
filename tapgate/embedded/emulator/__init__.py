"""The AWS emulator: ministack on a loopback port, owned and ended by whoever started it."""

from __future__ import annotations

from tapgate.embedded.emulator.emulator import ACCOUNT, REGION, Emulator, EmulatorError

__all__ = ["ACCOUNT", "REGION", "Emulator", "EmulatorError"]
