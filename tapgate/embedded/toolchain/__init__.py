"""The Pulumi CLI and its language hosts, on any machine: found, installed, or built."""

from __future__ import annotations

from tapgate.embedded.toolchain.search import Cli, at_hand, find, require_unchanged

__all__ = ["Cli", "at_hand", "find", "require_unchanged"]
