"""What tests of several folders share: the real engine in the embedded environment."""

from __future__ import annotations

import gc
import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

import tests.policypack.harness.clock  # noqa: F401 # pyright: ignore[reportUnusedImport] - sets the workers' day
from tests.scheduling import Scheduler, long_ones_first

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

# How long one example takes says more about what else the machine does than about the code.
settings.register_profile("no-deadline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Where coverage is measured, nothing is proven by numbers.
settings.register_profile("coverage", deadline=None, max_examples=10, derandomize=True)
settings.load_profile("no-deadline")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell's job in the background begins so, and hands it on: programs that tests interrupt would not end.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while tests are collected, nor later among them: they stay to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    long_ones_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduler | None:
    return Scheduler(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: an engine's processes wait for each other now and then."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def engine_env(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The embedded environment, as `python -m tapgate exec` prepares it, on an empty backend of its own.

    Takes the CLI that `python -m tapgate` finds or has built; a test that writes to the backend and minds
    what others left there sets PULUMI_BACKEND_URL to a folder of its own. Coverage does not follow into the
    engine's processes, for which it would take as long again.
    """
    from tapgate.embedded.environment import applied, changes_for  # noqa: PLC0415 - few sessions need it
    from tapgate.embedded.toolchain import find  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("engine")
    backend = folder / "state"
    backend.mkdir()
    base = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    environment = applied(changes_for("embedded", find(), base), base)
    return environment | {"PULUMI_BACKEND_URL": backend.as_uri(), "PULUMI_HOME": str(folder / "home")}
