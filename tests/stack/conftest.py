"""The prepared environment with the three stacks in a backend of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.prepare import ensure_stacks
from tests.stack.engine import ROOT, STACKS

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture(scope="session")
def stack_env(engine_env: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment for the CLI, with the stacks of the project in its backend."""
    state = tmp_path_factory.mktemp("stacks")
    ensure_stacks(STACKS, ROOT, state)
    return {**engine_env, "PULUMI_BACKEND_URL": state.as_uri()}
