"""One deployment of the TAP stack for all integration tests."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest

from tests.integration.deployment import Deployment, prepare
from tests.integration.inventory import inventory
from tests.integration.target import Target, chosen_target
from tests.integration.traces import TraceReceiver, received_traces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.capture import CaptureManager


@dataclass(frozen=True)
class Tap:
    """The deployed stack.

    Attributes:
        target: Where it is.
        deployment: How it got there.
        suffix: The environment's suffix in all names.
        outputs: The stack's outputs.
        traces: What functions sent to the X-Ray daemon's address; nothing on AWS itself.
        deployed: What the gate said of the deployment.
    """

    target: Target
    deployment: Deployment
    suffix: str
    outputs: dict[str, str]
    traces: TraceReceiver
    deployed: str


@pytest.fixture(scope="session")
def traces() -> Iterator[TraceReceiver]:
    """What functions on the emulator send to the X-Ray daemon's address."""
    with received_traces() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def target(traces: TraceReceiver) -> Iterator[Target]:
    """What is deployed to."""
    with chosen_target(traces.address) as chosen:
        yield chosen


@pytest.fixture(scope="session")
def tap(
    target: Target,
    traces: TraceReceiver,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[Tap]:
    """The stack `TapStack<suffix>`, deployed through the gate; afterwards destroyed, and nothing left.

    `TEST_ENV_SUFFIX` names the suffix, `CLEANUP_AFTER_TESTS=false` keeps the stack: on AWS itself and on an
    emulator that is given, not on one that ends with the tests.
    """
    suffix = os.environ.get("TEST_ENV_SUFFIX") or f"it{secrets.token_hex(2)}"
    deployment = prepare(tmp_path_factory.mktemp("tap"), f"TapStack{suffix}", target)
    before = inventory(target)
    deployed = deployment.gate("deploy")
    if deployed.returncode != 0:
        deployment.destroy()
        pytest.fail(f"the gate did not deploy the stack:\n{deployed.stdout}\n{deployed.stderr}")
    yield Tap(target, deployment, suffix, deployment.outputs(), traces, deployed.stdout)
    if os.environ.get("CLEANUP_AFTER_TESTS", "true").lower() == "false":
        _say(pytestconfig, f"kept: {deployment.stack}, whose project is in {deployment.folder}")
        return
    destroyed = deployment.destroy()
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    left = inventory(target) - before
    assert left == set(), f"the stack is destroyed, and this is left of it: {left}"


def _say(config: pytest.Config, words: str) -> None:
    """Say something that is shown whether tests fail or not."""
    capture = cast("CaptureManager", config.pluginmanager.getplugin("capturemanager"))
    with capture.global_and_fixture_disabled():
        print(words)
