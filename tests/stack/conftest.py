"""The prepared environment with the three stacks in a backend of its own."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tap_guardrails.assembly import policies
from tap_guardrails.model import Level
from tests.stack.engine import STACKS, copy_project

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture(scope="session")
def stack_env(engine_env: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment for the CLI, with the stacks of the project in its backend."""
    project = copy_project(tmp_path_factory.mktemp("stacks"))
    for stack in STACKS:
        subprocess.run(
            ["pulumi", "stack", "init", stack, "--non-interactive"],
            cwd=project,
            env=dict(engine_env),
            check=True,
            capture_output=True,
        )
    return dict(engine_env)


@pytest.fixture(scope="session")
def mandatory_policies() -> frozenset[str]:
    """The names of the policies that block, as the pack declares them."""
    return frozenset(policy.rule.name for policy in policies() if policy.rule.level is Level.MANDATORY)
