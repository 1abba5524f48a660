"""The policy pack's entry: Pulumi runs this folder with `python -m pulumi.policy`."""

from __future__ import annotations

import gc

# Neither starting nor evaluating makes cycles worth looking for each few hundred objects.
gc.set_threshold(100_000)

from tap_guardrails.serving import serve  # noqa: E402 - starting is what it saves time on

serve()
