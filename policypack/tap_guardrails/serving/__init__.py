"""The pack as a plugin: Pulumi's Analyzer protocol on a port of the loopback interface."""

from __future__ import annotations

from tap_guardrails.serving.server import serve

__all__ = ["serve"]
