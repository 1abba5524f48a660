"""The engine configures the pack once; whoever else reaches its port changes nothing, and is seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import grpc
import pytest
from pulumi.runtime.proto import analyzer_pb2 as proto

from tests.policypack.harness.cases import CaseResource
from tests.policypack.harness.pack import Pack, running_pack
from tests.policypack.harness.waived import ROTATION, TERMS, levels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = CaseResource("key", "aws:kms/key:Key", {"enableKeyRotation": False})
WAIVERS = json.dumps([{"policy": ROTATION, "urn": "*::key", **TERMS}])


@pytest.fixture
def engines() -> Iterator[Pack]:
    """A pack as an engine starts it."""
    with running_pack() as pack:
        yield pack


def soften(pack: Pack) -> None:
    pack.configure(ROTATION, level=proto.ADVISORY)


def waive(pack: Pack) -> None:
    pack.configure_stack({"tap-guardrails:waivers": WAIVERS})


def refused(call: Callable[[Pack], None], pack: Pack) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        call(pack)
    assert raised.value.code() is grpc.StatusCode.FAILED_PRECONDITION  # pyright: ignore[reportAttributeAccessIssue]


def tampered(pack: Pack) -> list[str]:
    answer = pack.analyze_stack([KEY])
    return [one.message for one in answer.diagnostics if "another configuration was refused" in one.message]


@pytest.mark.parametrize("call", [soften, waive])
def test_a_second_configuration_is_refused_and_shown(call: Callable[[Pack], None], engines: Pack) -> None:
    engines.configure_stack()
    engines.configure()
    assert not tampered(engines)
    refused(call, engines)
    assert levels(engines.analyze(KEY), ROTATION) == [proto.MANDATORY]
    for _ in range(2):
        (text,) = tampered(engines)
        assert text.endswith("Verdict: error")


@pytest.mark.parametrize("call", [soften, waive])
def test_a_configuration_after_the_first_resource_is_refused(
    call: Callable[[Pack], None], engines: Pack
) -> None:
    assert levels(engines.analyze(KEY), ROTATION) == [proto.MANDATORY]
    refused(call, engines)
    assert levels(engines.analyze(KEY), ROTATION) == [proto.MANDATORY]
    assert tampered(engines)


def test_a_configuration_that_does_not_fit_takes_the_only_chance(engines: Pack) -> None:
    with pytest.raises(grpc.RpcError):
        engines.configure("no-such-policy")
    refused(soften, engines)
