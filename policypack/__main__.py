"""The policy pack's entry: Pulumi runs this folder with `python -m pulumi.policy`."""

from __future__ import annotations

from tap_guardrails.serving import serve

serve()
