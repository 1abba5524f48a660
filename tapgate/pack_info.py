"""Asks a policy pack what it says of its policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tapgate.packs import RequestedPack
    from tapgate.reports.controls import PolicyInfo


def policies(pack: RequestedPack) -> tuple[PolicyInfo, ...]:
    """Return what a pack says of its policies.

    Raises:
        CouldNotRunError: it does not start.
    """
    from tapgate.analyzer.running import RunningPack  # noqa: PLC0415 - gRPC takes 0.3 s to import
    from tapgate.reports.controls import policies_of  # noqa: PLC0415 - a run without reports does without

    running = RunningPack.start(pack)
    try:
        return policies_of(running.description())
    finally:
        running.process.close()
