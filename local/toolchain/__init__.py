"""The Pulumi CLI and its language hosts, on any machine: found, installed, or built."""

from __future__ import annotations

from local.toolchain.executable import Cli
from local.toolchain.search import at_hand, find

__all__ = ["Cli", "at_hand", "find"]
