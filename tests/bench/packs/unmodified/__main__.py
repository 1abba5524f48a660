"""The same rules through pulumi-policy's own servicer, to tell what the pack's own saves."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4] / "policypack"))

from pulumi_policy import PolicyPack

from tap_guardrails.assembly import policies

PolicyPack(name="unmodified", policies=[policy.policy for policy in policies()])
