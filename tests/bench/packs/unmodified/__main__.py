"""The same rules through pulumi-policy's own servicer, to tell what the pack's own saves."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4]))
sys.path.insert(0, str(Path(__file__).parents[4] / "policypack"))

from pulumi_policy import PolicyPack

from tests.policypack.harness.adapter import runnable_policies

PolicyPack(name="unmodified", policies=[*runnable_policies()])
