"""The emulator, and a stack of its own for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import api_handler.wiring as api
import processor.wiring as work
from tap_items import aws_clients, settings, stack
from tests.lambdas.stand import Stand, run_emulator

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of a running AWS emulator."""
    yield from run_emulator(tmp_path_factory.mktemp("emulator"))


@pytest.fixture
def stand(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    """A fresh stack; the handlers of this process belong to it."""
    made = Stand(emulator)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    forget_wiring()
    yield made
    forget_wiring()


def forget_wiring() -> None:
    """Make the handlers read their environment and make their clients anew."""
    for module in (api, work, stack, aws_clients, settings):
        for made in vars(module).values():
            if hasattr(made, "cache_clear"):
                made.cache_clear()
