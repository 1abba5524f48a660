"""What tests of several folders share: the real engine in the embedded environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Mapping

# How long one example takes says more about what else the machine does than about the code.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(scope="session")
def engine_env(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The embedded environment, as `python -m tapgate exec` prepares it, on an empty backend of its own.

    Takes the CLI that `python -m tapgate` finds or has built; a test that writes to the backend and minds
    what others left there sets PULUMI_BACKEND_URL to a folder of its own.
    """
    from tapgate.embedded.environment import applied, changes_for  # noqa: PLC0415 - few sessions need it
    from tapgate.embedded.toolchain import find  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("engine")
    backend = folder / "state"
    backend.mkdir()
    environment = applied(changes_for("embedded", find(), os.environ), os.environ)
    return environment | {"PULUMI_BACKEND_URL": backend.as_uri(), "PULUMI_HOME": str(folder / "home")}
