"""Judges a state in packs that start for it, so that nothing that ran before can have reached them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from tapgate.analyzer.evaluation import evaluate
from tapgate.analyzer.running import RunningPack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tapgate.analyzer.deployment import Deployment
    from tapgate.events import EventLog
    from tapgate.packs import RequestedPack


def judge(deployment: Deployment, packs: Sequence[RequestedPack], config: Mapping[str, object]) -> EventLog:
    """Start the packs, ask every policy about a state, and end them.

    Args:
        deployment: the state.
        packs: the packs.
        config: the `config` block of the stack's file.

    Raises:
        CouldNotRunError: a pack does not start, or a policy raised.
    """
    with ExitStack() as stack:
        running: list[RunningPack] = []
        for pack in packs:
            running.append(RunningPack.start(pack))
            stack.callback(running[-1].process.close)
        return evaluate(deployment, running, config)
