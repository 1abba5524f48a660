"""The pack as tests run it: one process for all of them, configured again and again, on the tests' day."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4]))
sys.path.insert(0, str(Path(__file__).parents[4] / "policypack"))

from tap_guardrails.serving import serve
from tests.policypack.harness import clock

clock.stop()
serve(reconfigurable=True)
