"""One running pack for all the tests that speak the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.policypack.harness import clock
from tests.policypack.harness.pack import RECONFIGURABLE, Pack, running_pack

if TYPE_CHECKING:
    from collections.abc import Iterator

clock.stop()


@pytest.fixture(scope="session")
def shared_pack() -> Iterator[Pack]:
    with running_pack(RECONFIGURABLE) as pack:
        yield pack


@pytest.fixture
def pack(shared_pack: Pack) -> Pack:
    """The running pack, with every policy at its defaults, for a stack that configures nothing."""
    shared_pack.configure_stack()
    shared_pack.configure()
    return shared_pack
