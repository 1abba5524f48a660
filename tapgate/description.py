"""Asks a policy pack what it says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.packs import RequestedPack


def describe(pack: RequestedPack) -> Mapping[str, object]:
    """Return what a pack says of itself, in the JSON form of `AnalyzerInfo`.

    Raises:
        CouldNotRunError: it does not start.
    """
    from tapgate.analyzer.running import RunningPack  # noqa: PLC0415 - gRPC takes 0.3 s to import

    running = RunningPack.start(pack)
    try:
        return running.description()
    finally:
        running.process.close()
