"""What docs/deployment.md says to do on an emulator, and what the tests leave when they are asked to."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tapgate.embedded.emulator import Emulator
from tapgate.embedded.environment import EMULATOR_STATE, checkout_folder
from tests.integration.deployment import ROOT
from tests.integration.inventory import inventory
from tests.integration.target import Target

pytestmark = [pytest.mark.cli, pytest.mark.emulator]
PAGE = ROOT / "docs" / "deployment.md"
# The session `env` runs just this, in an environment of its own.
NOX = f'nox() {{ [ "$*" = "-s env" ] && "{sys.executable}" -m tapgate env; }}\n'


def _block(holding: str) -> str:
    """Return the commands of the page that hold a text."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (found,) = (block for block in blocks if holding in block)
    return found


def _said_in_a_shell(commands: str, **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "AWS_"))}
    plain.pop(EMULATOR_STATE, None)
    return subprocess.run(
        ["bash"],
        input=NOX + commands,
        cwd=ROOT,
        env=plain | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_stack_is_deployed_to_an_emulator_that_ends_with_the_shell() -> None:
    states = checkout_folder() / "state"
    before = {path: path.read_bytes() for path in states.rglob("stacks/*/*.json")}
    done = _said_in_a_shell(_block("tapgate.embedded.emulator run -- bash"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "DEPLOYED  create " in done.stdout
    assert re.search(r"metadataTableName +tap-metadata-dev", done.stdout)
    assert re.search(r"- \d+ deleted", done.stdout)
    assert "what was deployed to it is gone" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert {path: path.read_bytes() for path in states.rglob("stacks/*/*.json")} == before


def test_the_stack_is_kept_when_that_is_asked_for() -> None:
    with Emulator() as emulator:
        target = Target(emulator.endpoint, emulator.environment())
        asked = {"TEST_ENV_SUFFIX": "kept", "CLEANUP_AFTER_TESTS": "false", "TAP_AWS": ""}
        one = "tests/integration/test_deployed_stack.py::test_the_gate_passed_and_deployed"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", one],
            cwd=ROOT,
            env={**os.environ, **target.environment, **asked},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "kept: TapStackkept" in done.stdout
        left = inventory(target)
        assert {
            "function tap-api-handler-kept",
            "function tap-processor-kept",
            "table tap-metadata-kept",
        } <= left
