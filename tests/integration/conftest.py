"""One deployment of the TAP stack for all integration tests."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
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
        run: The value of the tag `TestRun` on all its resources.
    """

    target: Target
    deployment: Deployment
    suffix: str
    outputs: dict[str, str]
    traces: TraceReceiver
    deployed: str
    run: str


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
    emulator that is given, not on one that ends with the tests. All its resources bear the tag `TestRun`.
    """
    suffix = os.environ.get("TEST_ENV_SUFFIX") or "integration-test"
    run = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    deployment = prepare(tmp_path_factory.mktemp("tap"), f"TapStack{suffix}", target, run)
    before = inventory(target, suffix)
    deployed = deployment.gate("deploy")
    if deployed.returncode != 0:
        deployment.remove()
        pytest.fail(f"the gate did not deploy the stack:\n{deployed.stdout}\n{deployed.stderr}")
    yield Tap(target, deployment, suffix, deployment.outputs(), traces, deployed.stdout, run)
    if os.environ.get("CLEANUP_AFTER_TESTS", "true").lower() == "false":
        _say(pytestconfig, f"kept: {deployment.stack}, whose project is in {deployment.folder}")
        return
    removed = deployment.remove()
    assert removed.returncode == 0, removed.stdout + removed.stderr
    left = inventory(target, suffix) - before
    assert left == set(), f"the stack is destroyed, and this is left of it: {left}"


def _say(config: pytest.Config, words: str) -> None:
    """Say something that is shown whether tests fail or not."""
    capture = cast("CaptureManager", config.pluginmanager.getplugin("capturemanager"))
    with capture.global_and_fixture_disabled():
        print(words)
