"""The emulator, and a stack of its own for each test."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

import api_handler.app as api
import processor.app as work
from tap_items import aws_clients, observability, settings, stack
from tapgate.embedded.emulator import Emulator
from tests.lambdas.daemon import SAMPLED, Daemon, run_daemon
from tests.lambdas.stand import Stand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """The endpoint of a running AWS emulator."""
    with Emulator() as running:
        yield running.endpoint


@pytest.fixture
def stand(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    """A fresh stack; the handlers of this process belong to it."""
    made = Stand(emulator)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    forget_wiring()
    yield made
    forget_wiring()


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A tracing daemon, in a sampled trace."""
    with run_daemon() as running:
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", running.address)
        monkeypatch.setenv("_X_AMZN_TRACE_ID", SAMPLED)
        yield running


@pytest.fixture
def log() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Reads the handlers' log: its lines so far, each a JSON object."""
    handler: Any = observability.logger.registered_handler
    stream = io.StringIO()
    before = handler.setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    handler.setStream(before)


def forget_wiring() -> None:
    """Make the handlers read their environment and make their clients anew."""
    for module in (api, work, stack, aws_clients, settings):
        for made in vars(module).values():
            if hasattr(made, "cache_clear"):
                made.cache_clear()
