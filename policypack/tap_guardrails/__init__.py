"""TAP Guardrails: policies for AWS serverless stacks that decide, and say so when they cannot.

`evaluate` is the pack as a function: from the resources of a state file to what the policies say of them,
without the Analyzer protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from tap_guardrails.state import PackEvaluation

__all__ = ["PACK_NAME", "PACK_VERSION", "evaluate"]

PACK_NAME: Final = "tap-guardrails"
PACK_VERSION: Final = "0.1.0"


def evaluate(
    resources: Iterable[Mapping[str, object]],
    config: Mapping[str, object] | None = None,
    *,
    stack_config: Mapping[str, str] | None = None,
    secret_keys: Sequence[str] = (),
    today: date | None = None,
) -> PackEvaluation:
    """Evaluate a stack under every policy of the pack.

    Args:
        resources: The resources, as a state file lists them (`deployment.resources`).
        config: What a file for `--policy-pack-config` says: levels and settings by policy.
        stack_config: The stack's configuration, by key, for the waivers in it.
        secret_keys: The keys in it whose values are secret.
        today: The day by which waivers expire; today, in UTC, unless given.

    Raises:
        ConfigurationError: The configuration names what does not exist or sets what does not fit.
    """
    from tap_guardrails.state import evaluate_state  # noqa: PLC0415 - who reads the version needs no rules

    return evaluate_state(resources, config or {}, stack_config or {}, secret_keys, today)
